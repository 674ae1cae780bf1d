import type { PostmortemRecord } from '../../src/postmortem/record.ts';
import { APPROVER, dayOf, LEAD, ONCALL, SUPPORT } from './people.ts';

const { at, ts, milestones, said, event } = dayOf('2026-05-19');
const change = 'fallback none → simple';

/** The provider's rate limits made most calls fail; a smaller model of another provider answered meanwhile. */
export const outage: PostmortemRecord = {
  incident: {
    id: 'INC-57',
    title: 'Calls fail',
    category: 'outage',
    severity: 'sev1',
    service: 'doc-search',
    environment: 'production',
    private: false,
    status: 'resolved',
    source: 'rule',
    rule: 'outage.errors',
  },
  milestones: milestones({
    started: '14:02:30',
    detected: '14:06:00',
    declared: '14:06:00',
    acknowledged: '14:07:12',
    contained: '14:13:05',
    mitigated: '14:24:40',
    resolved: '15:10:20',
  }),
  signal: {
    rule: 'outage.errors',
    value: 0.413,
    n: 652,
    lower: 0.381,
    upper: 0.446,
    threshold: 0.05,
  },
  impact: {
    text: 'Searches in the help centre came back with “try again later”. Nothing wrong was shown.',
    affectedRequests: 1_911,
    totalRequests: 4_870,
  },
  changes: [],
  answers: {
    whatHappened: {
      text: 'Calls fail. Error rate 41.3 % (5.0 % allowed, n = 652, at least 38.1 % at 95 %).',
      by: 'evidence',
    },
    whenStarted: {
      text: 'About 2026-05-19 14:02 UTC, by the change-point of the measurements.',
      by: 'evidence',
    },
    whyNotCaught: {
      text: 'The limit was lowered by the provider, and nothing on our side changed.',
      by: ONCALL,
    },
    whyHardToDiagnose: {
      text: 'The status page of the provider stayed green for 25 minutes.',
      by: ONCALL,
    },
  },
  events: [
    event('14:06:00', 'signal', 'Error rate 41.3 % (5.0 % allowed, n = 652, at least 38.1 % at 95 %)'),
    event('14:06:00', 'declared', 'The rule outage.errors declared INC-57: sev1 outage.'),
    event('14:06:02', 'room', 'Room #inc-20260519-57-doc-search opened.'),
    event(
      '14:06:03',
      'page',
      'PagerDuty Q2FAIL57 (https://example.pagerduty.com/incidents/Q2FAIL57), on call: oncall.',
    ),
    event('14:07:04', 'notified', 'PagerDuty: notified oncall by push.'),
    event('14:07:12', 'acknowledged', 'Acknowledged, and commands the incident.', ONCALL),
    event(
      '14:09:30',
      'decision',
      'Answered yes to: Look at the error codes in the traces. Are most of them rate limits (429)?',
      ONCALL,
    ),
    event('14:12:10', 'proposed', `Proposed: ${change}.`, ONCALL),
    event('14:12:58', 'approved', `Approved: ${change}.`, APPROVER),
    event('14:13:05', 'mitigation-applied', `${change}: applied. Read-back: simple.`),
    event(
      '14:24:40',
      'proven',
      `${change}: proven. Served by live calls since 14:13:09 UTC (n = 880). Error rate 41.3 % → 0.6 % (n = 880).`,
    ),
    event(
      '14:31:00',
      'update',
      'Update: searches work again on the smaller model. What we do: we wait for the provider.',
      LEAD,
    ),
    event('14:58:41', 'signal', 'No longer firing: Error rate 0.4 % (5.0 % allowed, n = 940)'),
    event('15:10:20', 'resolved', 'Resolved: the limit is back.', ONCALL),
  ],
  messages: [
    said('14:07:30', ONCALL, 'On it. <!here> please open no second room'),
    said('14:08:02', SUPPORT, 'Tickets come in: “try again later” on every search :rotating_light:'),
    said('14:10:44', ONCALL, 'All 429. The provider says\n> capacity is reduced in one region', {
      threadTs: ts('14:08:02'),
    }),
    said('14:28:10', SUPPORT, 'It works again for the customers I asked'),
  ],
  decisionPath: {
    symptom: 'Errors or timeouts',
    tree: 'shipped 2 (e944a307)',
    steps: [
      {
        question: 'Look at the error codes in the traces. Are most of them rate limits (429)?',
        finding: '97.2 % of errors are rate limits. Codes: 429 (261), 503 (8).',
        answer: 'yes',
        by: ONCALL,
        at: at('14:09:30'),
      },
    ],
    leaf: 'Switch to the backup model until the limit is lifted.',
  },
  mitigations: [
    {
      id: '102',
      summary: change,
      from: 'none',
      to: 'simple',
      proposedBy: ONCALL,
      approvedBy: [APPROVER],
      status: 'reverted',
      appliedAt: at('14:13:05'),
      proof: {
        verdict: 'proven',
        before: 0.413,
        after: 0.006,
        n: 880,
        interval: { lower: 0.002, upper: 0.013 },
        timeToEffectMs: 4_000,
        servedAt: at('14:13:09'),
      },
    },
  ],
  dataPoints: {
    prompt: { name: 'unnamed', version: 'v7', sha256: 'unknown' },
    model: { requested: 'model-large', served: 'model-large', parameters: {} },
    samples: [
      { callId: '90122', verdict: 'bad', input: 'how do I export my invoices', output: '', formatOk: false },
    ],
    driftVerdict: {
      verdict: 'not visible',
      because: [
        '6 rules had enough data, and none was past its threshold until five minutes before the declaration.',
      ],
    },
    drift: [
      { at: at('13:55:00'), rule: 'outage.errors', value: 0.004, n: 610, state: 'ok' },
      { at: at('13:55:00'), rule: 'outage.latency', value: 2_310, baseline: 2_180, n: 610, state: 'ok' },
      { at: at('14:06:00'), rule: 'outage.errors', value: 0.413, n: 652, state: 'firing' },
      { at: at('14:06:00'), rule: 'quality.score', value: null, n: 0, state: 'no-data' },
    ],
    inputShift: [{ metric: 'calls per minute', before: 122, after: 131, n: 4_870 }],
  },
  charts: [{ path: 'INC-57-metric.png', alt: 'Error rate: 0.4 % at first, 41.3 % at most, 0.4 % at last.' }],
  actionItems: [
    {
      text: 'Agree on a second provider for the large model',
      owner: LEAD,
      dueAt: new Date('2026-06-02'),
    },
    { text: 'Send 429 answers to the fallback by themselves' },
  ],
  lessons: [
    { kind: 'good', text: 'The fallback had been rehearsed in spring.', by: LEAD },
    { kind: 'bad', text: 'We trusted a status page.', by: ONCALL },
  ],
  evalCases: [],
  noEvalCaseReason: { text: 'The answers were right; there were none.', by: LEAD },
};
