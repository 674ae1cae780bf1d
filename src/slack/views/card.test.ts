import type { ActionsBlock, Button, StaticSelect } from '@slack/types';
import { expect, test } from 'vitest';
import type { IncidentCard } from '../../flow/room/incident-card.ts';
import { render } from './render.ts';

const minute = (n: number) => new Date(Date.UTC(2026, 10, 22, 3, n));
const base: IncidentCard = {
  incidentId: 12,
  title: 'Support answers quote wrong prices',
  category: 'quality',
  severity: 'sev1',
  status: 'open',
  service: 'support-answers',
  environment: 'production',
  private: false,
  drill: false,
  startedAt: minute(0),
  declaredAt: minute(11),
  containedAt: null,
  mitigatedAt: null,
  resolvedAt: null,
  now: minute(14),
  signal: 'Quality score 0.71 against 0.86 (−17 %, n = 412)',
  likely: 'prompt v13 → v14 at 02:58',
  knownGood: 'prompt v13',
  paged: 'on-call of support, by PagerDuty',
  acknowledgedBy: null,
  containBy: minute(21),
  mitigations: [],
  stillOn: [],
  falseAlarm: [],
  stakeholders: [],
  roles: { commander: null, scribe: null, comms: null },
  lastUpdate: null,
  missing: [],
  postmortem: null,
  actions: ['propose', 'contain', 'acknowledge', 'false_alarm', 'resolve'],
  awaitsAnswer: false,
  rollBackTo: 'v13',
  blastRadius: { propose: 'Prompt answer alone: 400 of 412 calls.', contain: null },
  hasTarget: true,
  waived: null,
  menu: ['page', 'severity', 'private', 'tree', 'update', 'resolve'],
  atOnce: [],
};

function shown(changes: Partial<IncidentCard>) {
  const { text, blocks } = render({ kind: 'card', card: { ...base, ...changes } });
  const lines = blocks.flatMap((block) =>
    block.type === 'section' ? (block.text?.text ?? '').split('\n') : [],
  );
  const rows = blocks.filter((block): block is ActionsBlock => block.type === 'actions');
  const elements = rows.flatMap((row) => row.elements as (Button | StaticSelect)[]);
  const buttons = elements.filter((one) => one.type === 'button');
  const menu = elements.find((one) => one.type === 'static_select');
  return { text, blocks, lines, buttons, menu };
}

test('the-first-line-says-how-bad-where-and-for-how-long', () => {
  expect(shown({}).lines[0]).toBe('*SEV1 quality · support-answers · PROD · exposed 14 min*');
});

test('exposure-ends-at-containment', () => {
  expect(shown({ containedAt: minute(9), status: 'contained' }).lines[0]).toContain('exposed 9 min');
});

test('without-a-known-start-the-card-counts-from-the-declaration', () => {
  expect(shown({ startedAt: null }).lines[0]).toContain('open 3 min');
});

test('outside-production-the-environment-is-named-and-nobody-is-paged', () => {
  const [first] = shown({ environment: 'staging', drill: true }).lines;
  expect(first).toBe('*DRILL · SEV1 quality · support-answers · staging, nobody is paged · exposed 14 min*');
});

test('the-card-is-one-phone-screen', () => {
  const { lines, blocks } = shown({});
  expect(lines.slice(1)).toEqual([
    'Support answers quote wrong prices',
    'Quality score 0.71 against 0.86 (−17 %, n = 412)',
    '*Likely:* prompt v13 → v14 at 02:58',
    '*Known-good:* prompt v13',
    '*Paged:* on-call of support, by PagerDuty',
    expect.stringMatching(
      /^\*Contain by:\* <!date\^\d+\^\{date_short_pretty\} \{time\}\|.*> \(7 min left\)$/,
    ),
  ]);
  expect(blocks.length).toBeLessThanOrEqual(6);
});

test('a-missed-containment-deadline-says-by-how-much', () => {
  expect(shown({ now: minute(27) }).lines.at(-1)).toContain('(6 min overdue)');
  expect(shown({ now: minute(21) }).lines.at(-1)).toContain('(due now)');
});

test('what-is-in-force-is-listed', () => {
  expect(shown({ mitigations: ['disable: applied'] }).lines).toContain('• disable: applied');
});

test('the-post-mortem-is-one-line-that-says-what-it-waits-for', () => {
  const postmortem = { dueAt: minute(60), owner: 'U012ABC', signedBy: [], isSigned: false };
  const line = (over: Partial<IncidentCard>) =>
    shown({ status: 'resolved', resolvedAt: minute(20), postmortem, ...over }).lines.at(-1);
  const due = /<!date\^\d+\^\{date_short_pretty\} \{time\}\|.*>/.source;
  expect(line({ missing: ['a', 'b'] })).toMatch(
    new RegExp(`^\\*Post-mortem:\\* 2 things missing, due ${due} · <@U012ABC>$`),
  );
  expect(line({ missing: ['a'], now: minute(70) })).toMatch(
    /\* 1 thing missing, overdue since .* · <@U012ABC>$/,
  );
  expect(line({})).toBe('*Post-mortem:* nothing missing, not signed off · <@U012ABC>');
  const signed = { ...postmortem, signedBy: ['U012ABC'], isSigned: true };
  expect(line({ postmortem: signed })).toBe('*Post-mortem:* signed off by <@U012ABC>');
  expect(line({ status: 'closed', missing: ['a'] })).toBe('*Post-mortem:* closed with 1 thing missing');
});

test('a-page-is-one-tap-away-and-only-its-own-address-becomes-a-link', () => {
  const paged =
    'PagerDuty Q1 (https://acme.pagerduty.com/incidents/Q1?a=1&b=2), on call: Ada (https://x.example)';
  expect(shown({ paged }).lines.join('\n')).toContain(
    '*Paged:* PagerDuty Q1 (<https://acme.pagerduty.com/incidents/Q1?a=1&amp;b=2|open>), on call: Ada (https://x.example)',
  );
  const hostile = shown({ paged: 'nobody (https://x.example|<!channel>)' }).lines.join('\n');
  expect(hostile).toContain('*Paged:* nobody (https://x.example|&lt;!');
});

test('whoever-acknowledged-is-named', () => {
  expect(shown({ acknowledgedBy: 'U012ABC' }).lines.join('\n')).toContain('<@U012ABC> is on it');
});

test('buttons-stand-in-one-order-and-carry-the-incident', () => {
  const { buttons } = shown({ actions: ['resolve', 'acknowledge', 'propose', 'false_alarm', 'contain'] });
  expect(buttons.map((button) => [button.action_id, button.value])).toEqual([
    ['propose', '12'],
    ['contain', '12'],
    ['acknowledge', '12'],
    ['false_alarm', '12'],
    ['resolve', '12'],
  ]);
  expect(buttons[0]).toMatchObject({ style: 'primary', text: { text: 'Roll back to v13' } });
  expect(buttons.filter((button) => button.confirm === undefined).map((b) => b.action_id)).toEqual([
    'acknowledge',
  ]);
});

test('a-dialog-says-what-will-happen-and-what-it-touches', () => {
  const [propose, contain] = shown({}).buttons;
  expect(propose?.confirm?.text.text).toBe(
    'Returns support-answers to prompt v13 once someone else who may approves it. Prompt answer alone: 400 of 412 calls.',
  );
  expect(contain?.text.text).toBe('Disable');
  expect(contain?.confirm?.text.text).toBe('Disables support-answers once someone else who may approves it.');
  const far = { propose: 'All traffic. '.repeat(40), contain: null };
  expect(shown({ blastRadius: far }).buttons[0]?.confirm?.text.text.length).toBeLessThanOrEqual(300);
});

test('without-a-known-good-state-or-a-target-the-buttons-say-what-they-do', () => {
  const [propose, contain] = shown({ rollBackTo: null, hasTarget: false }).buttons;
  expect(propose?.text.text).toBe('Roll back to known-good');
  expect(contain?.text.text).toBe('It is contained');
  expect(contain?.confirm?.text.text).toContain('Records that users are no longer exposed');
});

test('the-menu-is-the-last-of-the-row', () => {
  const { blocks, menu } = shown({});
  const [row] = blocks.filter((block): block is ActionsBlock => block.type === 'actions');
  expect(row?.elements.at(-1)).toBe(menu);
  expect(menu?.options?.map(({ value }) => value)).toEqual(
    ['page', 'severity', 'private', 'tree', 'update', 'resolve'].map((choice) => `${choice}:12`),
  );
});

test('who-was-paged-and-has-not-answered-is-said', () => {
  expect(shown({ awaitsAnswer: true }).lines).toContain(
    '*Paged:* on-call of support, by PagerDuty · not acknowledged',
  );
});

test('what-is-not-contained-on-purpose-says-who-decided-it-and-why', () => {
  const { lines, text } = shown({ waived: { by: 'U012ABC', reason: 'only staff sees it' } });
  expect(lines.at(-1)).toBe('*Not contained on purpose:* only staff sees it (<@U012ABC>)');
  expect(text).toContain('not contained on purpose');
});

test('a-card-without-actions-has-no-buttons', () => {
  expect(shown({ actions: [], menu: [] }).blocks.some((block) => block.type === 'actions')).toBe(false);
});

test('the-lock-screen-text-is-complete-on-its-own', () => {
  expect(shown({}).text).toBe(
    'SEV1 quality · support-answers · PROD · exposed 14 min – Support answers quote wrong prices – ' +
      'Quality score 0.71 against 0.86 (−17 %, n = 412) – contain first: 7 min left',
  );
});

test('the-lock-screen-shows-no-title-of-a-private-incident', () => {
  const { text } = shown({ private: true, category: 'safety', title: 'Leaks the address of a customer' });
  expect(text).toBe(
    'SEV1 safety · support-answers · PROD · exposed 14 min – private incident 12 – contain first: 7 min left',
  );
});

test('personal-data-in-a-title-is-redacted', () => {
  expect(JSON.stringify(shown({ title: 'Told help@example.com the price' }))).not.toContain(
    'help@example.com',
  );
});

test('a-settled-card-says-what-became-of-it', () => {
  expect(shown({ status: 'declined' }).lines[0]).toContain('false alarm');
  const { lines } = shown({ status: 'resolved', resolvedAt: minute(40) });
  expect(lines.join('\n')).toContain('*Resolved:*');
});
