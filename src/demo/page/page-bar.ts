import type { Live } from '../live/live-actions.ts';
import { percent } from '../story/story-traffic.ts';
import { SERVICE } from '../story/story-world.ts';
import { escapeHtml } from './page-mrkdwn.ts';

/** The feature at a glance: its mood, its last hour, what it serves, the last answer, and PagerDuty. */
export function barHtml(live: Live): string {
  const { world, minutes, latest } = live;
  const { model, requestedModel, prompt, enabled } = world.service.state();
  const recent = minutes.slice(-5);
  const n = recent.reduce((sum, minute) => sum + minute.n, 0);
  const right = recent.reduce((sum, minute) => sum + minute.right * minute.n, 0) / Math.max(1, n);
  const mood = !enabled ? '😴' : n === 0 ? '🙂' : right > 0.75 ? '😀' : right > 0.65 ? '😕' : '🤒';
  const drift =
    requestedModel !== model
      ? ` <span class="context">asked for as ${escapeHtml(requestedModel)}</span>`
      : '';
  const score = !enabled ? 'disabled' : n === 0 ? 'warming up' : `${percent(right)} right`;
  return (
    `<div class="mood"><span class="big">${mood}</span><div><b>${SERVICE}</b> <time>${world.time().toISOString().slice(11, 16)} UTC</time><br>` +
    `${score} <span class="context">last 5 min</span><br>model <code>${escapeHtml(model)}</code>${drift}, prompt <code>${escapeHtml(prompt)}</code></div>` +
    `${sparkline(minutes.map((minute) => (minute.n === 0 ? null : minute.right)))}</div>${answerHtml(latest)}${phoneHtml(live)}`
  );
}

/** Share of right answers, minute by minute, with the rule's rough threshold behind it. */
function sparkline(shares: readonly (number | null)[]): string {
  const y = (share: number) => (38 - share * 36).toFixed(1);
  const points = shares.flatMap((share, index) => (share === null ? [] : [`${index * 3},${y(share)}`]));
  const line = points.length < 2 ? '' : `<polyline points="${points.join(' ')}"/>`;
  return (
    `<svg viewBox="0 0 180 40" preserveAspectRatio="none" role="img" aria-label="share of right answers, the last hour">` +
    `<line x1="0" x2="180" y1="${y(0.71)}" y2="${y(0.71)}"/>${line}</svg>`
  );
}

function answerHtml(latest: Live['latest']): string {
  if (latest === undefined) return '';
  const isRight = latest.evaluations?.find((one) => one.name === 'quality')?.score === 1;
  const question = (latest.input ?? '').split('?')[0] ?? '';
  const lines = (latest.output ?? '').trim().split('\n');
  const verdict = lines.at(-1) ?? '';
  const thought = lines.length > 1 ? `${lines.length} lines of thinking, then ` : '';
  return `<p class="answer">${isRight ? '✔' : '✘'} “${escapeHtml(question)}?” <span class="context">${thought}</span><b>${escapeHtml(verdict)}</b></p>`;
}

function phoneHtml({ world }: Live): string {
  const { incidents } = world.pagerduty;
  if (incidents.length === 0) return '<p class="phone context">📟 PagerDuty is quiet.</p>';
  const last = incidents
    .slice(-3)
    .reverse()
    .map(({ id, title, status, urgency }) => {
      const isRinging = status === 'triggered' && urgency === 'high';
      const state = isRinging ? 'ringing' : urgency === 'low' && status === 'triggered' ? 'ticket' : status;
      const answer = isRinging
        ? ` <button type="button" data-act="phone" data-at="${escapeHtml(id)}">Acknowledge</button>`
        : '';
      return `<p class="phone${isRinging ? ' ringing' : ''}">📟 <b>${escapeHtml(state)}</b> ${escapeHtml(title)}${answer}</p>`;
    });
  return last.join('');
}
