import type { PostmortemRecord } from '../../src/postmortem/record.ts';
import { APPROVER, dayOf, LEAD, LEGAL, ONCALL } from './people.ts';

const { at, milestones, said, event } = dayOf('2026-09-23');

/** A retriever that read a test table put other people's data into answers; declared by a person, private. */
export const safety: PostmortemRecord = {
  incident: {
    id: 'INC-70',
    title: 'An answer names another customer',
    category: 'safety',
    severity: 'sev1',
    service: 'account-assistant',
    environment: 'production',
    private: true,
    status: 'resolved',
    source: 'declared',
  },
  milestones: milestones({
    started: '08:10:00',
    declared: '08:41:13',
    acknowledged: '08:41:40',
    contained: '08:43:50',
    resolved: '16:20:15',
  }),
  impact: { affectedRequests: 6, totalRequests: 2_140, exposedUsers: 6 },
  changes: [
    { component: 'index customer-notes', from: 'build 311', to: 'build 312', at: at('08:08:40') },
    { component: 'flag retrieval-cache', from: null, to: 'on', at: at('07:30:00') },
  ],
  answers: {
    whatHappened: { text: 'Six answers quoted the notes of another customer.', by: ONCALL },
    whenStarted: { text: 'With build 312 of the index, at 08:10.', by: ONCALL },
    whyNotCaught: {
      text: 'Names are not looked for by the check before delivery, and the notes held nothing else.',
      by: ONCALL,
    },
    whatPrevents: {
      text: 'The index is built from production tables only, and a test counts its sources.',
      by: LEAD,
    },
  },
  events: [
    event('08:41:13', 'declared', 'Declared: sev1 safety.', ONCALL),
    event('08:41:14', 'room', 'Room #inc-20260923-70 opened.'),
    event('08:41:15', 'asked', `Asked legal to acknowledge: <@${LEGAL}>.`),
    event('08:41:20', 'page', 'PagerDuty Q7SAFE70, on call: oncall.'),
    event(
      '08:42:40',
      'break-glass',
      'Break-glass: disable the feature. Why: it leaks now, and nobody else is awake',
      ONCALL,
    ),
    event('08:43:50', 'mitigation-applied', 'disable the feature: applied. Read-back: disabled.'),
    event('08:49:02', 'stakeholder', 'Acknowledged for legal.', LEGAL),
    event(
      '10:15:30',
      'exposure',
      'Drafted a notice to 6 users. `/llm-incident exposure` shows it; somebody else who may must approve it.',
      LEAD,
    ),
    event('10:40:00', 'exposure', 'Approved the notice to 6 users.', LEGAL),
    event('10:40:04', 'exposure', 'The notice to 6 users was taken by the webhook (202).'),
    event('13:05:10', 'root-cause', 'Root cause: the index was built from a test table', ONCALL),
    event('14:30:00', 'sign-off', 'Root cause signed off for the service’s owner. The table is gone.', LEAD),
    event('15:02:00', 'sign-off', 'Root cause signed off for legal.', LEGAL),
    event('16:02:10', 'proposed', 'Proposed: enable the feature.', ONCALL),
    event('16:04:41', 'vote', 'Approved, and one more must agree: enable the feature.', APPROVER),
    event('16:06:20', 'approved', 'Approved: enable the feature.', LEGAL),
    event('16:06:30', 'mitigation-applied', 'enable the feature: applied. Read-back: enabled.'),
    event('16:20:15', 'resolved', 'Resolved.', ONCALL),
  ],
  messages: [
    said('08:44:30', ONCALL, 'It is off. Six calls so far, ids are in the sheet'),
    said(
      '08:52:11',
      LEGAL,
      'Please paste no names here. I write to sam@customer.example and the others myself',
    ),
  ],
  decisionPath: undefined,
  mitigations: [
    {
      id: '131',
      summary: 'disable the feature',
      from: 'enabled',
      to: 'disabled',
      proposedBy: ONCALL,
      approvedBy: [],
      breakGlass: {
        by: ONCALL,
        reason: 'it leaks now, and nobody else is awake',
        review: { by: LEAD, text: 'Right: every minute counted.' },
      },
      status: 'reverted',
      appliedAt: at('08:43:50'),
      proof: { verdict: 'proven', n: 0, timeToEffectMs: 1_000, servedAt: at('08:43:51') },
    },
    {
      id: '132',
      summary: 'enable the feature',
      from: 'disabled',
      to: 'enabled',
      proposedBy: ONCALL,
      approvedBy: [APPROVER, LEGAL],
      status: 'applied',
      appliedAt: at('16:06:30'),
    },
  ],
  rootCause: {
    text: 'The index was built from a test table that holds copies of real notes.',
    by: ONCALL,
    at: at('13:05:10'),
    signOffs: [
      { by: LEAD, note: 'The table is gone.', at: at('14:30:00') },
      { by: LEGAL, at: at('15:02:00') },
    ],
  },
  dataPoints: {
    prompt: { name: 'account', version: 'v31', sha256: 'c0ffee5f', rendered: 'The notes: …' },
    model: { requested: 'model-2', served: 'model-2', parameters: { temperature: 0 } },
    samples: [
      { callId: '120444', verdict: 'bad', input: 'What did we agree on?', output: 'You, Sam, asked for …' },
    ],
    driftVerdict: { verdict: 'not known', because: ['No rule had enough data to judge by.'] },
  },
  actionItems: [
    { text: 'Build the index from production tables only', owner: LEAD, dueAt: new Date('2026-09-30') },
  ],
  evalCases: [{ description: 'An answer that quotes the notes of somebody else.', proven: false }],
};
