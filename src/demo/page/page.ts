import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Live } from '../live/live-actions.ts';
import { type LoopbackServer, listenOnLoopback, parseJson, sendJson } from '../loopback-server.ts';
import { ROLES } from '../story/story-world.ts';
import { perform } from './page-acts.ts';
import { barHtml } from './page-bar.ts';
import { SCRIPT } from './page-script.ts';
import { shellHtml } from './page-shell.ts';
import { STYLE } from './page-style.ts';
import { elsewhereHtml, type Looking, type View, viewOf } from './page-view.ts';

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** The local page of the live demo; it listens on loopback and answers no other site's requests. */
export async function openPage(live: Live): Promise<LoopbackServer> {
  const views = rememberViews(live);
  const server = await listenOnLoopback(async (request, response, body) => {
    const url = new URL(request.url ?? '/', 'http://page.invalid');
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!isOurs(request))
      return send(response, { status: 403, type: 'text/plain', body: 'This page answers to itself only.' });
    const route = `${request.method} ${url.pathname}`;
    if (route === 'GET /')
      return send(response, { type: 'text/html', body: await wholePage(live, views, url) });
    if (route === 'GET /page.css') return send(response, { type: 'text/css', body: STYLE });
    if (route === 'GET /page.js') return send(response, { type: 'text/javascript', body: SCRIPT });
    if (route === 'GET /state')
      return sendJson(response, { status: 200, body: await stateOf(live, views, url) });
    if (route === 'GET /file') return sendFile(live, response, url);
    if (route === 'POST /act')
      return sendJson(response, { status: 200, body: await perform(live, parseJson(body)) });
    send(response, { status: 404, type: 'text/plain', body: 'There is nothing here.' });
  });
  return { ...server, url: `${server.url}/` };
}

/** Another site in the same browser can send requests here, and a rebound name too; neither is answered. */
function isOurs({ headers }: IncomingMessage): boolean {
  const { host = '', origin } = headers;
  if (!/^(127\.0\.0\.1|localhost):\d+$/.test(host)) return false;
  return origin === undefined || origin === `http://${host}`;
}

function lookingOf(url: URL): Looking {
  const wanted = url.searchParams.get('as') ?? '';
  return {
    as: ROLES.find((role) => role === wanted) ?? 'oncall',
    channel: url.searchParams.get('channel') ?? '',
  };
}

async function wholePage(live: Live, views: Views, url: URL): Promise<string> {
  const looking = lookingOf(url);
  const { view } = await views(looking);
  return shellHtml({ looking, view, bar: barHtml(live), elsewhere: await elsewhereHtml(live, view.channel) });
}

async function stateOf(live: Live, views: Views, url: URL): Promise<object> {
  const { view, revision, elsewhere } = await views(lookingOf(url));
  const isSame = url.searchParams.get('v') === revision;
  return { v: revision, bar: barHtml(live), elsewhere, ...(isSame ? {} : { view }) };
}

type Views = (looking: Looking) => Promise<{ view: View; revision: string; elsewhere: string }>;

/** While nothing happens in the workspace, it is not asked again. */
function rememberViews(live: Live): Views {
  const known = new Map<string, Awaited<ReturnType<Views>>>();
  return async (looking) => {
    const key = `${looking.as} ${looking.channel}`;
    const revision = `${key} ${live.revision()}`;
    const kept = known.get(key);
    if (kept?.revision === revision) return kept;
    const view = await viewOf(live, looking);
    const fresh = { view, revision, elsewhere: await elsewhereHtml(live, view.channel) };
    if (known.size > 200) known.clear();
    known.set(key, fresh);
    return fresh;
  };
}

async function sendFile({ world }: Live, response: ServerResponse, url: URL): Promise<void> {
  const files = await world.slack.files(url.searchParams.get('channel') ?? '');
  const file = files.find((one) => one.id === url.searchParams.get('id'));
  if (file === undefined)
    return send(response, { status: 404, type: 'text/plain', body: 'There is no such file.' });
  send(response, { type: 'text/plain', body: file.content });
}

function send(response: ServerResponse, answer: { status?: number; type: string; body: string }): void {
  response.writeHead(answer.status ?? 200, { 'content-type': `${answer.type}; charset=utf-8` });
  response.end(answer.body);
}
