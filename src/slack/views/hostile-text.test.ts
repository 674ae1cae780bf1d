import { expect, test } from 'vitest';
import type { IncidentCard } from '../../flow/incident-card.ts';
import type { LeaseView, RoomMessage } from '../../flow/ports.ts';
import type { StakeholderView } from '../../flow/stakeholder-view.ts';
import { declareModal } from './declare-modal.ts';
import { keepLeaseModal } from './lease.ts';
import { render } from './render.ts';

/** Numbers from Slack's own reference, by where a text or a list stands; never taken from the code. */
const MAX_TEXT: Record<string, number> = {
  'section.text': 3000,
  'context.elements': 3000,
  'button.text': 75,
  'confirm.title': 100,
  'confirm.text': 300,
  'confirm.confirm': 30,
  'confirm.deny': 30,
  'input.label': 2000,
  'input.hint': 2000,
  'option.text': 75,
  'element.placeholder': 150,
  'modal.title': 24,
  'modal.submit': 24,
  'modal.close': 24,
};
const MAX_STRING: Record<string, number> = {
  action_id: 255,
  block_id: 255,
  value: 2000,
  private_metadata: 3000,
  callback_id: 255,
  initial_value: 150,
};

type Node = Record<string, unknown>;
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** Every text and list below `node` that Slack would refuse. */
function tooLong(node: Node, kind: string, problems: string[] = []): string[] {
  for (const [key, child] of Object.entries(node)) {
    if (typeof child === 'string' && child.length > (MAX_STRING[key] ?? Infinity))
      problems.push(`${kind}.${key}`);
    for (const each of Array.isArray(child) ? child : [child]) {
      if (isNode(each)) checkNode(each, { kind, key, problems });
    }
  }
  const elements = Array.isArray(node['elements']) ? node['elements'] : [];
  if (elements.length > (kind === 'context' ? 10 : 25)) problems.push(`${kind}.elements: ${elements.length}`);
  if (Array.isArray(node['options']) && node['options'].length > 100) problems.push(`${kind}.options`);
  const ids = elements.map((each: Node) => each['action_id']).filter((id) => id !== undefined);
  if (new Set(ids).size < ids.length) problems.push(`${kind}: action_id twice`);
  return problems;
}

function checkNode(node: Node, at: { kind: string; key: string; problems: string[] }): void {
  if (node['type'] === 'mrkdwn' || node['type'] === 'plain_text') {
    const place = at.key === 'placeholder' ? 'element.placeholder' : `${at.kind}.${at.key}`;
    const max = MAX_TEXT[place];
    const length = String(node['text']).length;
    if (max === undefined) at.problems.push(`${place}: no limit known to this test`);
    else if (length < 1 || length > max) at.problems.push(`${place}: ${length}`);
    return;
  }
  const kind = at.key === 'confirm' ? 'confirm' : /option/.test(at.key) ? 'option' : String(node['type']);
  tooLong(node, kind, at.problems);
}

const long = (unit: string) => unit.repeat(Math.ceil(5000 / unit.length));
const HOSTILE: [string, string][] = [
  ['markup', long('<!channel> & <@U012ABC> @here ``` \n*x*')],
  ['ampersands', long('&')],
  ['emoji', long('😀')],
  ['lone surrogates', long('\ud83d')],
  ['nothing', ''],
  ['blanks', long(' \n')],
];
const at = new Date('2026-11-22T03:00:00Z');

function card(text: string): IncidentCard {
  return {
    incidentId: 12,
    title: text,
    category: 'quality',
    severity: 'sev1',
    status: 'open',
    service: text,
    environment: text,
    private: false,
    drill: true,
    startedAt: at,
    declaredAt: at,
    containedAt: null,
    mitigatedAt: null,
    resolvedAt: null,
    now: at,
    signal: text,
    likely: text,
    knownGood: text,
    paged: text,
    acknowledgedBy: text,
    containBy: at,
    stillOn: [{ what: text, since: at, owner: text, until: null, kept: text }],
    falseAlarm: [text],
    stakeholders: [{ role: 'legal', state: 'acknowledged', dueAt: at, by: text, at, isLate: true }],
    mitigations: Array(40).fill(text),
    roles: { commander: text, scribe: text, comms: null },
    lastUpdate: { by: text, at, text, nextAt: at },
    missing: Array(40).fill(text),
    actions: ['resolve', 'false_alarm', 'acknowledge', 'contain', 'propose', 'propose'],
    awaitsAnswer: false,
    rollBackTo: text,
    blastRadius: { propose: text, contain: text },
    hasTarget: true,
    waived: { by: text, reason: text },
    menu: ['page', 'severity', 'private', 'tree', 'update', 'resolve'],
    atOnce: ['contain', 'propose'],
  };
}

function proposal(text: string, state: 'open' | 'settled'): RoomMessage {
  return {
    kind: 'proposal',
    proposal: {
      mitigationId: 7,
      planHash: 'f'.repeat(64),
      incidentId: 12,
      summary: text,
      from: text,
      to: text,
      why: text,
      blastRadius: text,
      undo: text,
      approvals: { have: 1, needed: 2 },
      standing: null,
      rehearsal: { kind: 'result', text, short: text },
      proposedBy: text,
      votes: [],
      approvers: Array(300).fill(text),
      onCall: Array(300).fill(`${text} `),
      obstacle: text,
      mayBreakGlass: true,
      expiresAt: at,
      state,
      outcome: state === 'open' ? null : text,
    },
  };
}

function tree(text: string, part: 'choices' | 'step' | 'leaf'): RoomMessage {
  const step = {
    symptomId: 'errors',
    symptom: text,
    likelyCause: text,
    stepId: 'rate-limited',
    instruction: text,
    finding: text,
    answers: ['yes', 'no', 'unknown', 'yes'] as ('yes' | 'no' | 'unknown')[],
  };
  const choices = Array.from({ length: 40 }, (_, i) => ({
    id: `s-${i}`,
    symptom: text || 'x',
    suggested: text,
  }));
  const leaf = { advice: text, action: 'contain' as const };
  return {
    kind: 'tree',
    tree: {
      incidentId: 12,
      choices,
      step: part === 'step' ? step : null,
      leaf: part === 'leaf' ? leaf : null,
    },
  };
}

function lease(text: string, state: LeaseView['state']): RoomMessage {
  const about = { mitigationId: 7, incidentId: 12, summary: text, since: at, ended: at, undoProposal: 8 };
  const kept = { by: text, reason: text };
  const owners = Array(300).fill(text);
  return { kind: 'lease', lease: { ...about, owners, state, until: null, kept, outcome: text } };
}

function stakeholder(text: string, state: StakeholderView['state']): RoomMessage {
  const about = { title: text, service: text, environment: text, isDrill: true };
  const kinds = { category: 'quality', severity: 'sev2' } as const;
  const asked = { incidentId: 12, role: 'product', roomId: null, dueAt: at, by: text, at } as const;
  return { kind: 'stakeholder', ask: { ...asked, about: { ...about, ...kinds }, state } };
}

function everyMessage(text: string): RoomMessage[] {
  const change = { component: text, from: text, to: text, at, actor: text };
  const sample = { input: text, output: text, score: 0.41, formatOk: false };
  const samples = Array(9).fill(sample);
  const changes = Array(60).fill(change);
  const lines = Array(60).fill(text);
  const past = Array(9).fill({ name: 'INC-3', title: text, at, common: [text, text], worked: lines });
  return [
    { kind: 'card', card: card(text) },
    { kind: 'card', card: { ...card(text), private: true, status: 'resolved', resolvedAt: at } },
    proposal(text, 'open'),
    proposal(text, 'settled'),
    { kind: 'receipt', receipt: { mitigationId: 7, summary: text, verdict: 'proving', lines, next: text } },
    { kind: 'context', context: { incidentId: 12, changes, samples, samplesWithheld: null, past } },
    { kind: 'context', context: { incidentId: 12, changes: [], samples, samplesWithheld: text, past } },
    tree(text, 'choices'),
    tree(text, 'step'),
    tree(text, 'leaf'),
    {
      kind: 'notice',
      text,
      mention: Array(300)
        .fill(0)
        .map((_, i) => `U${i}`),
    },
    { kind: 'notice', text, mention: lines },
    { kind: 'postmortem', summary: text, missing: lines },
    stakeholder(text, 'asks'),
    stakeholder(text, 'acknowledged'),
    ...(['asks', 'kept', 'over'] as const).map((state) => lease(text, state)),
  ];
}

test.each(HOSTILE)('no view leaves the limits of Slack with %s', (_, text) => {
  for (const message of everyMessage(text)) {
    const { text: fallback, blocks } = render(message);
    expect(tooLong({ blocks }, 'message'), message.kind).toEqual([]);
    expect(blocks.length).toBeLessThanOrEqual(50);
    expect(fallback.length).toBeGreaterThan(0);
    expect(fallback.length).toBeLessThanOrEqual(4000);
  }
});

// A fence that opens must close, or it would swallow our own lines.
test.each(HOSTILE)('no view lets %s ping, link or break a fence', (_, text) => {
  for (const message of everyMessage(text)) {
    const { text: fallback, blocks } = render(message);
    for (const said of [fallback, ...mrkdwnOf(blocks)]) {
      const ours = /<@U\d+>|<!date\^\d+\^[^<>]*>|&(amp|lt|gt);/g;
      expect(said.replace(ours, ''), message.kind).not.toMatch(/[<>&]|@(channel|here|everyone)/);
      expect((said.match(/```/g) ?? []).length % 2).toBe(0);
      expect(said.isWellFormed()).toBe(true);
    }
  }
});

function mrkdwnOf(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(mrkdwnOf);
  if (!isNode(node)) return [];
  if (node['type'] === 'mrkdwn') return [String(node['text'])];
  return Object.values(node).flatMap(mrkdwnOf);
}

test.each(HOSTILE)('the forms stay within the limits with %s', (_, text) => {
  const forms = [
    keepLeaseModal({ mitigationId: 7, channelId: 'C012' }),
    declareModal({ services: [], title: text, channelId: 'C012' }),
    declareModal({ services: Array.from({ length: 99 }, (_none, i) => `service-${i}`) }),
    declareModal({ services: Array.from({ length: 400 }, (_none, i) => `service-${i}`) }),
    declareModal({ services: [text || 'x'], symptoms: [{ id: 'errors', symptom: text || 'x' }] }),
  ];
  for (const form of forms) expect(tooLong(form as unknown as Node, 'modal')).toEqual([]);
});
