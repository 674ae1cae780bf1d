import { ROLES } from '../story/story-world.ts';
import { escapeHtml } from './page-mrkdwn.ts';
import type { Looking, View } from './page-view.ts';
import { faceOf } from './page-view.ts';

/** The whole page as it is at first. */
export function shellHtml(shown: { looking: Looking; view: View; bar: string; elsewhere: string }): string {
  const { looking, view, bar, elsewhere } = shown;
  const option = (role: string) =>
    `<option value="${role}"${role === looking.as ? ' selected' : ''}>${faceOf(role)} as ${role}</option>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>llm-incident: the demo</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css"></head>
<body data-channel="${escapeHtml(view.channel)}">
<div id="top"><h1>🚒 llm-incident</h1><p>A Slack workspace, a PagerDuty account and an AI feature, all on this machine.
One real second is one simulated minute. Break something, then be the people who fix it.</p></div>
<nav id="side"><div id="bar">${bar}</div>
<div id="break"><button type="button" class="danger" data-act="break-model">Break the model</button>
<button type="button" class="danger" data-act="break-prompt">Break the prompt</button>
<button type="button" data-act="heal">Heal by hand</button></div>
<div id="channels">${view.channels}</div></nav>
<main id="main"><div id="elsewhere">${elsewhere}</div><div id="messages">${view.messages}</div>
<form id="say"><div id="thread"></div><select id="as" aria-label="acting as">${ROLES.map(option).join('')}</select>
<input id="text" autocomplete="off" aria-label="message" placeholder="A message, or /llm-incident help"><button class="primary">Send</button></form></main>
<div id="toast" role="status"></div><dialog id="form"></dialog>
<dialog id="sure"><form method="dialog"><h2></h2><p></p><div class="actions"><button class="primary" value="yes"></button>
<button value="no"></button></div></form></dialog>
<noscript>This page needs JavaScript; the console where the demo runs does not.</noscript>
<script src="/page.js"></script></body></html>`;
}
