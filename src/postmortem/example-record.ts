import type { PostmortemRecord, RoomMessage } from './record.ts';

// An invented incident in its empty and its full form, for the tests beside this file.

export const at = (minute: number, second = 0) => new Date(Date.UTC(2026, 10, 22, 2, minute, second));
export const ts = (minute: number, micro = '000000') => `${at(minute).getTime() / 1_000}.${micro}`;
export const names = new Map([
  ['U1', 'ana'],
  ['U2', 'bo'],
  ['U3', 'cy'],
]);

export function message(minute: number, text: string, more: Partial<RoomMessage> = {}): RoomMessage {
  return { ts: ts(minute), userId: 'U1', text, files: [], ...more };
}

export const empty: PostmortemRecord = {
  incident: {
    id: 'INC-12',
    title: 'Refunds invented',
    category: 'quality',
    severity: 'sev2',
    service: 'support-bot',
    environment: 'production',
    private: false,
    status: 'resolved',
    source: 'rule',
    rule: 'quality-drop',
  },
  milestones: [],
  changes: [],
  answers: {},
  events: [],
  messages: [],
  mitigations: [],
  dataPoints: {},
  actionItems: [],
  evalCases: [],
};

export const full: PostmortemRecord = {
  ...empty,
  milestones: [
    { name: 'started', at: at(0) },
    { name: 'detected', at: at(12) },
    { name: 'acknowledged', at: at(15) },
    { name: 'contained', at: at(20) },
    { name: 'mitigated', at: at(31) },
    { name: 'resolved', at: at(95) },
  ],
  signal: {
    rule: 'quality-drop',
    value: 0.61,
    baseline: 0.82,
    n: 230,
    baselineN: 4_000,
    lower: 0.56,
    upper: 0.66,
    threshold: 0.697,
  },
  impact: { affectedRequests: 412, totalRequests: 8_000, exposedUsers: 37 },
  changes: [{ component: 'prompt answer', from: 'v13', to: 'v14', at: at(-3) }],
  answers: {
    whatHappened: { text: 'Prompt v14 told the model to *guess*.', by: 'U1' },
    whenStarted: { text: 'Within a minute of the move.', by: 'evidence' },
    whyNotCaught: { text: 'No case asked about refunds.', by: 'U1' },
    whyHardToDiagnose: { text: 'Latency was normal.', by: 'U1' },
    whatPrevents: { text: 'The new case, in CI.', by: 'U2' },
  },
  events: [{ at: at(12), kind: 'signal', text: 'quality-drop fired.' }],
  messages: [
    message(13, 'Looking at <@U2>, <!here>'),
    message(16, 'It is v14', {
      userId: 'U2',
      threadTs: ts(13),
      editedTs: ts(17),
      files: [{ name: 'a.png' }],
    }),
    message(14, 'a secret', { userId: 'U3', deletedAt: at(15), files: [{ name: 'gone.txt' }] }),
  ],
  decisionPath: {
    symptom: 'Wrong answers, one pattern',
    steps: [
      {
        question: 'Did the prompt change?',
        finding: 'v13 to v14.',
        answer: 'yes',
        by: 'evidence',
        at: at(16),
      },
    ],
    leaf: 'Roll the prompt back',
  },
  mitigations: [
    {
      id: 'MIT-3',
      summary: 'Roll the prompt back',
      from: 'v14',
      to: 'v13',
      proposedBy: 'U1',
      approvedBy: ['U2', 'U3'],
      status: 'proven',
      appliedAt: at(25),
      leaseUntil: at(500),
      proof: {
        verdict: 'proven',
        before: 0.61,
        after: 0.83,
        n: 214,
        interval: { lower: 0.78, upper: 0.87 },
        timeToEffectMs: 95_000,
        servedAt: at(26),
      },
    },
  ],
  dataPoints: {
    prompt: { name: 'answer', version: 'v14', sha256: 'ab12', rendered: 'You are a helper.' },
    model: { requested: 'm-1', served: 'm-1-0806', parameters: { temperature: 0.2, api_key: 'abc123xyz' } },
    samples: [
      { callId: 'c1', verdict: 'bad', input: 'How long?', output: '400 days, jane@example.com', score: 0.1 },
    ],
    drift: [{ at: at(-20), rule: 'quality-drop', value: 0.8, baseline: 0.82, n: 210, state: 'ok' }],
    inputShift: [{ metric: 'median tokens', before: 120, after: 122, n: 500 }],
  },
  actionItems: [{ text: 'Put the case in CI', owner: 'U2', dueAt: at(2_000) }],
  evalCases: [{ description: 'Refund window', proven: true }],
};
