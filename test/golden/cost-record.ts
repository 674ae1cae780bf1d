import type { PostmortemRecord } from '../../src/postmortem/record.ts';
import { APPROVER, dayOf, LEAD, ONCALL } from './people.ts';

const { at, ts, milestones, said, event } = dayOf('2026-07-08');
const limit = 'limit user user-8812 to 10 requests a minute (no limit before)';
const cap = 'cap outputs at 400 tokens (2000 before)';

/** A customer's script ran in a loop; it was throttled by itself under what the team had approved before. */
export const cost: PostmortemRecord = {
  incident: {
    id: 'INC-63',
    title: 'Spend is above its limit',
    category: 'cost',
    severity: 'sev1',
    service: 'report-writer',
    environment: 'production',
    private: false,
    status: 'resolved',
    source: 'rule',
    rule: 'cost.spend',
  },
  milestones: milestones({
    started: '21:40:00',
    detected: '21:52:00',
    declared: '21:52:00',
    acknowledged: '21:56:20',
    contained: '21:52:31',
    mitigated: '22:08:00',
    resolved: '22:30:10',
  }),
  signal: { rule: 'cost.spend', value: 187.4, n: 1_944, threshold: 50 },
  impact: { text: 'About $62 more than usual. No user received a worse answer.' },
  changes: [],
  answers: {
    whatHappened: {
      text: 'Spend is above its limit. Spend $187.40/hour ($50.00/hour allowed, n = 1,944).',
      by: 'evidence',
    },
    whenStarted: {
      text: 'About 2026-07-08 21:40 UTC, by the change-point of the measurements.',
      by: 'evidence',
    },
    whyNotCaught: { text: 'New customers had no limit of requests a minute.', by: ONCALL },
    whyHardToDiagnose: { text: 'It was not: one user had 81 % of the tokens.', by: ONCALL },
    whatPrevents: { text: 'A default limit for every customer.', by: APPROVER },
  },
  events: [
    event('21:52:00', 'signal', 'Spend $187.40/hour ($50.00/hour allowed, n = 1,944)'),
    event('21:52:00', 'declared', 'The rule cost.spend declared INC-63: sev1 cost.'),
    event(
      '21:52:01',
      'remediation',
      `Remediation wanted by cost.spend: ${limit}. It runs by itself under the standing approval \`throttle-offender\`.`,
    ),
    event('21:52:02', 'room', 'Room #inc-20260708-63-report-writer opened.'),
    event('21:52:31', 'mitigation-applied', `${limit}: applied. Read-back: 10 requests a minute.`),
    event(
      '21:53:00',
      'signal',
      'Also firing: Share of one user or endpoint 81.0 % (50.0 % allowed, n = 1,944): user-8812',
    ),
    event('21:56:20', 'acknowledged', 'Acknowledged in PagerDuty.', ONCALL),
    event('21:58:05', 'role', 'Is commander now.', ONCALL),
    event('22:01:10', 'proposed', `Proposed: ${cap}.`, ONCALL),
    event(
      '22:03:32',
      'rejected',
      `Rejected: ${cap}. One customer is no reason to shorten all reports.`,
      APPROVER,
    ),
    event('22:08:00', 'proven', `${limit}: proven. Spend $187.40/hour → $21.90/hour (n = 412).`),
    event('22:30:10', 'resolved', 'Resolved: their script is stopped.', ONCALL),
  ],
  messages: [
    said(
      '21:57:02',
      ONCALL,
      'It throttled <https://console.example/u/8812|user-8812> before I was awake. Good.',
    ),
    said('21:59:40', APPROVER, 'Their cron job asks for the same report every second', {
      threadTs: ts('21:57:02'),
    }),
    said('22:26:30', LEAD, 'I called them, it is stopped', { files: [{ name: 'usage by user.csv' }] }),
  ],
  decisionPath: {
    symptom: 'Cost is rising',
    tree: 'shipped 2 (e944a307)',
    steps: [
      {
        question: 'Do the calls of one user or endpoint repeat themselves?',
        finding: '94.0 % of the calls of user-8812 have the same input.',
        answer: 'yes',
        by: 'evidence',
        at: at('21:57:30'),
      },
    ],
    leaf: 'Limit the user or endpoint whose calls repeat, then ask its owner to stop the loop.',
  },
  mitigations: [
    {
      id: '118',
      summary: limit,
      from: 'unknown',
      to: '10',
      proposedBy: 'llm-incident',
      approvedBy: ['llm-incident'],
      status: 'proven',
      appliedAt: at('21:52:31'),
      isOn: true,
      leaseOwner: ONCALL,
      leaseUntil: new Date('2026-07-09T21:52:31Z'),
      kept: { by: LEAD, reason: 'until their script has a pause' },
      proof: {
        verdict: 'proven',
        before: 187.4,
        after: 21.9,
        n: 412,
        timeToEffectMs: 11_000,
        servedAt: at('21:52:42'),
      },
    },
    {
      id: '119',
      summary: cap,
      from: '2000',
      to: '400',
      proposedBy: ONCALL,
      approvedBy: [],
      refused: {
        by: APPROVER,
        reason: 'One customer is no reason to shorten all reports.',
        isWithdrawn: false,
      },
      status: 'rejected',
    },
  ],
  dataPoints: {
    model: {
      requested: 'model-2',
      served: 'model-2',
      parameters: { max_tokens: 2_000 },
      servedSince: new Date('2026-06-01T08:00:00Z'),
    },
    samples: [
      {
        callId: '77120',
        verdict: 'good',
        input: 'Write the report for March.',
        output: 'Sales in March were level with February.',
        score: 0.9,
        formatOk: true,
      },
    ],
    driftVerdict: {
      verdict: 'visible and missed',
      because: ['cost.share was past its threshold 8 minutes before the declaration (0.62, threshold 0.5).'],
    },
    drift: [
      { at: at('21:30:00'), rule: 'cost.spend', value: 22.4, n: 402, state: 'ok' },
      { at: at('21:44:00'), rule: 'cost.share', value: 0.62, n: 730, state: 'firing' },
      { at: at('21:52:00'), rule: 'cost.spend', value: 187.4, n: 1_944, state: 'firing' },
      { at: at('21:52:00'), rule: 'cost.request', value: 0.0964, baseline: 0.0951, n: 1_944, state: 'ok' },
    ],
    inputShift: [
      { metric: 'calls per minute', before: 6.7, after: 162, n: 1_944 },
      {
        metric: 'user segment',
        before: '4 % new customers',
        after: '83 % new customers',
        n: 1_944,
        effect: 'Cramér’s V 0.79',
        p: 0.00001,
        note: 'one user makes most of it',
      },
    ],
  },
  actionItems: [
    { text: 'Limit every customer to 60 requests a minute', owner: APPROVER, dueAt: new Date('2026-07-15') },
    { text: 'Tell the customer which limit holds', owner: LEAD, dueAt: new Date('2026-07-09'), done: true },
  ],
  evalCases: [],
};
