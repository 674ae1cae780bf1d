import type { PostmortemRecord } from '../../src/postmortem/record.ts';
import { APPROVER, dayOf, LEAD, ONCALL, PRODUCT } from './people.ts';

const { at, ts, milestones, said, event } = dayOf('2026-03-04');
const change = 'prompt refund-answer v14 → v13';

/** A prompt's new wording made a support assistant invent refund terms. */
export const quality: PostmortemRecord = {
  incident: {
    id: 'INC-41',
    title: 'Answers got worse',
    category: 'quality',
    severity: 'sev1',
    service: 'support-answers',
    environment: 'production',
    private: false,
    status: 'resolved',
    source: 'rule',
    rule: 'quality.score',
  },
  milestones: milestones({
    started: '02:58:10',
    detected: '03:20:54',
    declared: '03:20:54',
    acknowledged: '03:24:07',
    contained: '03:29:40',
    mitigated: '03:47:12',
    resolved: '04:05:00',
  }),
  signal: {
    rule: 'quality.score',
    value: 0.611,
    baseline: 0.842,
    n: 230,
    baselineN: 4_112,
    lower: 0.56,
    upper: 0.66,
    threshold: 0.7157,
  },
  impact: { affectedRequests: 412, totalRequests: 1_260, exposedUsers: 377 },
  changes: [{ component: 'prompt refund-answer', from: 'v13', to: 'v14', at: at('02:57:48') }],
  answers: {
    whatHappened: {
      text: 'Answers got worse. Quality score 0.61 against 0.84 (−27 %, n = 230, at most 0.66 at 95 %). Customers who asked about refunds were told that they have *400 days*; the terms say 30.',
      by: ONCALL,
    },
    whenStarted: {
      text: 'About 2026-03-04 02:58 UTC, by the change-point of the measurements.',
      by: 'evidence',
    },
    whyNotCaught: {
      text: 'No eval case asked for the refund window, so v14 passed the suite.',
      by: ONCALL,
    },
    whyHardToDiagnose: {
      text: 'Latency and error rate were normal, and the answers were fluent.',
      by: ONCALL,
    },
    whatPrevents: {
      text: 'The new cases run in CI, and a prompt label moves only after they pass.',
      by: LEAD,
    },
  },
  events: [
    event(
      '03:11:54',
      'warning',
      'Early warning since 03:11 UTC: Quality score 0.70 against 0.84 (−17 %, n = 120)',
    ),
    event('03:20:54', 'signal', 'Quality score 0.61 against 0.84 (−27 %, n = 230, at most 0.66 at 95 %)'),
    event('03:20:54', 'declared', 'The rule quality.score declared INC-41: sev1 quality.'),
    event('03:20:56', 'room', 'Room #inc-20260304-41-support-answers opened.'),
    event('03:20:58', 'asked', `Asked product to acknowledge: <@${PRODUCT}>.`),
    event('03:24:07', 'acknowledged', 'Acknowledged, and commands the incident.', ONCALL),
    event('03:28:30', 'proposed', 'Proposed: disable the feature.', ONCALL),
    event('03:29:31', 'approved', 'Approved: disable the feature.', APPROVER),
    event('03:29:40', 'mitigation-applied', 'disable the feature: applied. Read-back: disabled.'),
    event('03:31:02', 'stakeholder', 'Acknowledged for product.', PRODUCT),
    event(
      '03:33:15',
      'decision',
      'Answered yes to: Did the prompt change shortly before the answers went wrong?',
      ONCALL,
    ),
    event('03:35:02', 'rehearsed', 'Rehearsed: v13 fixes 19 of 20, breaks 0 of 20; about $0.31.'),
    event('03:36:20', 'proposed', `Proposed: ${change}.`, ONCALL),
    event('03:37:44', 'approved', `Approved: ${change}.`, APPROVER),
    event('03:37:50', 'mitigation-applied', `${change}: applied. Read-back: v13.`),
    event(
      '03:47:12',
      'proven',
      `${change}: proven. Served by live calls since 03:38:04 UTC (n = 214). Quality score 0.61 → 0.83, baseline 0.84 (n = 214, 90 % interval 0.79–0.87).`,
    ),
    event('03:52:30', 'timeline', 'Support sent the correct terms to the customers who had asked.', LEAD),
    event('04:05:00', 'resolved', 'Resolved: back on v13, cases added.', ONCALL),
  ],
  messages: [
    said('03:24:31', ONCALL, `Looking at it. <@${APPROVER}> are you awake?`),
    said('03:25:02', APPROVER, 'Yes. What do users see?', { threadTs: ts('03:24:31') }),
    said('03:26:11', ONCALL, 'Refund windows that do not exist: `400 days` instead of `30 days`', {
      threadTs: ts('03:24:31'),
      editedTs: ts('03:26:40'),
      files: [{ name: 'three wrong answers.png', permalink: 'https://example.slack.com/files/F0WRONG' }],
    }),
    said('03:32:20', LEAD, 'Is it the model again?', { deletedAt: at('03:32:41') }),
    said(
      '03:34:05',
      ONCALL,
      'The label moved at 02:57, <https://git.example/prompts/commit/7d1f|the commit> rewrote the part on terms',
    ),
  ],
  decisionPath: {
    symptom: 'Wrong answers, same pattern',
    tree: 'shipped 2 (e944a307)',
    steps: [
      {
        question: 'Did the prompt change shortly before the answers went wrong?',
        finding: 'prompt refund-answer v13 → v14, 22 seconds before it began.',
        answer: 'yes',
        by: ONCALL,
        at: at('03:33:15'),
      },
    ],
    leaf: 'Roll the last prompt change back. The cause can wait until users are safe.',
  },
  mitigations: [
    {
      id: '87',
      summary: 'disable the feature',
      from: 'enabled',
      to: 'disabled',
      proposedBy: ONCALL,
      approvedBy: [APPROVER],
      status: 'reverted',
      appliedAt: at('03:29:40'),
      proof: { verdict: 'proven', n: 0, timeToEffectMs: 2_000, servedAt: at('03:29:42') },
    },
    {
      id: '88',
      summary: change,
      from: 'v14',
      to: 'v13',
      proposedBy: ONCALL,
      approvedBy: [APPROVER],
      status: 'proven',
      appliedAt: at('03:37:50'),
      isOn: true,
      leaseUntil: new Date('2026-03-05T03:37:50Z'),
      leaseOwner: ONCALL,
      proof: {
        verdict: 'proven',
        before: 0.611,
        after: 0.834,
        n: 214,
        interval: { lower: 0.79, upper: 0.87 },
        timeToEffectMs: 14_000,
        servedAt: at('03:38:04'),
      },
    },
  ],
  dataPoints: {
    prompt: {
      name: 'refund-answer',
      version: 'v14',
      sha256: '5f1c1f5f2f0a3f0c9be1a54c2e4bb7f0c0f5d1a8e0f84ad7c5b2de1f3a6c9e77',
      rendered:
        'You answer customers of an online shop. Be generous and reassuring about refunds.\n\nHow long can I return shoes?',
    },
    model: {
      requested: 'model-2',
      served: 'model-2-0806',
      parameters: { temperature: 0.2, max_tokens: 400 },
      servedSince: new Date('2026-02-11T09:14:00Z'),
    },
    strata: [
      { kind: 'low score', total: 412, sampled: 10 },
      { kind: 'good', total: 848, sampled: 10 },
    ],
    samples: [
      {
        callId: '51877',
        verdict: 'bad',
        input: 'How long can I return shoes? My address is jo@customer.example',
        output: 'You have 400 days to return them, no questions asked.',
        score: 0.1,
        formatOk: true,
      },
      {
        callId: '50312',
        verdict: 'good',
        input: 'Can I return a gift?',
        output: 'Yes, within 30 days of delivery, with the receipt or the order number.',
        score: 0.95,
        formatOk: true,
      },
    ],
    driftVerdict: {
      verdict: 'visible and missed',
      because: [
        'quality.score (early warning) was past its threshold 9 minutes before the declaration (0.7, threshold 0.716).',
      ],
    },
    drift: [
      { at: at('02:50:00'), rule: 'quality.score', value: 0.846, baseline: 0.842, n: 224, state: 'ok' },
      { at: at('03:10:00'), rule: 'quality.score', value: 0.728, baseline: 0.842, n: 218, state: 'ok' },
      { at: at('03:20:54'), rule: 'quality.score', value: 0.611, baseline: 0.842, n: 230, state: 'firing' },
      { at: at('03:20:54'), rule: 'quality.refusal', value: 0.012, baseline: 0.014, n: 230, state: 'ok' },
    ],
    inputShift: [
      { metric: 'calls per minute', before: 21, after: 20.4, n: 1_260 },
      {
        metric: 'input characters',
        before: '112 on average',
        after: '109 on average',
        n: 1_260,
        effect: 'Kolmogorov–Smirnov D 0.03',
        p: 0.71,
      },
      {
        metric: 'language',
        before: '71 % English',
        after: '70 % English',
        n: 1_260,
        effect: 'Cramér’s V 0.02',
        p: 0.88,
      },
    ],
  },
  actionItems: [
    { text: 'Run the refund cases before a prompt label moves.', owner: LEAD, dueAt: new Date('2026-03-11') },
    {
      text: 'Page on an early warning that lasts ten minutes.',
      owner: ONCALL,
      dueAt: new Date('2026-03-18'),
    },
  ],
  lessons: [
    { kind: 'good', text: 'The rehearsal told us what the old prompt fixes before we asked.', by: ONCALL },
    { kind: 'bad', text: 'The early warning was nine minutes old when somebody was paged.', by: LEAD },
    { kind: 'luck', text: 'It was night where most customers are.', by: APPROVER },
  ],
  evalCases: [
    { description: 'This call got a score of 0.1 from prompt v14 on model-2-0806.', proven: true },
    { description: 'This call got a score of 0.1 from prompt v14 on model-2-0806.', proven: true },
    { description: 'A gift without a receipt.', proven: false },
  ],
};
