import type { PostmortemView } from '../../flow/learn/duty-view.ts';
import type { LeaseView, RoomMessage } from '../../flow/ports.ts';
import type { IncidentCard } from '../../flow/room/incident-card.ts';
import type { StakeholderView } from '../../flow/stakeholders/stakeholder-view.ts';

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
    postmortem: { dueAt: at, owner: text, signedBy: [text], isSigned: false },
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

function postmortem(text: string, lines: string[]): PostmortemView {
  return {
    incidentId: 12,
    summary: text,
    left: lines,
    lacks: lines,
    owner: { id: text, name: text },
    callsOwner: false,
    dueAt: at,
    signedBy: lines,
    unsigned: ['owner', 'legal'],
    isClosed: false,
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

/** Every kind of message, with `text` wherever it holds text from outside; for tests. */
export function everyMessage(text: string): RoomMessage[] {
  const change = { component: text, from: text, to: text, at, actor: text };
  const sample = { traceId: text, input: text, output: text, score: 0.41, formatOk: false };
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
    { kind: 'postmortem', postmortem: postmortem(text, lines) },
    { kind: 'postmortem', postmortem: { ...postmortem(text, []), lacks: [], callsOwner: true } },
    {
      kind: 'duty',
      duty: { incidentId: 12, state: text, title: text, roomId: null, owner: text, left: lines },
    },
    stakeholder(text, 'asks'),
    stakeholder(text, 'acknowledged'),
    ...(['asks', 'kept', 'over'] as const).map((state) => lease(text, state)),
  ];
}
