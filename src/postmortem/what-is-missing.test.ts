import { describe, expect, it } from 'vitest';
import type { PostmortemRecord } from './record.ts';
import { leftToDo, whatIsMissing } from './what-is-missing.ts';

const at = new Date(Date.UTC(2026, 10, 22));
const complete: PostmortemRecord = {
  incident: {
    id: 'INC-1',
    title: 't',
    category: 'cost',
    severity: 'sev1',
    service: 's',
    environment: 'production',
    private: false,
    status: 'resolved',
    source: 'rule',
  },
  milestones: [
    { name: 'started', at },
    { name: 'contained', at },
  ],
  changes: [],
  answers: {
    whatHappened: { text: 'a', by: 'U1' },
    whenStarted: { text: 'b', by: 'evidence' },
    whyNotCaught: { text: 'c', by: 'U1' },
    whyHardToDiagnose: { text: 'd', by: 'U1' },
    whatPrevents: { text: 'e', by: 'U1' },
  },
  events: [],
  messages: [],
  mitigations: [],
  dataPoints: {
    prompt: { name: 'p', version: '1', sha256: 'x', rendered: 'r' },
    model: { requested: 'm', served: 'm', parameters: {} },
    samples: [{ callId: 'c', verdict: 'bad', input: 'i', output: 'o' }],
    drift: [{ at, rule: 'r', value: 1, n: 1, state: 'ok' }],
    inputShift: [{ metric: 'm', before: 1, after: 1, n: 1 }],
  },
  actionItems: [{ text: 'a', owner: 'U1', dueAt: at }],
  evalCases: [{ description: 'd', proven: true }],
};

describe('what is missing', () => {
  it('is nothing when everything was recorded', () => {
    expect(whatIsMissing(complete)).toEqual([]);
  });

  it('lists everything when nothing was recorded', () => {
    const bare = { ...complete, milestones: [], answers: {}, dataPoints: {}, actionItems: [], evalCases: [] };
    expect(whatIsMissing(bare)).toHaveLength(2 + 5 + 5 + 1 + 1);
  });

  it('is done without what nobody can make up for any more', () => {
    const late = { ...complete, milestones: [], dataPoints: {} };
    expect(whatIsMissing(late)).toHaveLength(2 + 5);
    expect(leftToDo(late)).toEqual([]);
    const bare = { ...late, answers: {}, actionItems: [], evalCases: [] };
    expect(leftToDo(bare)).toHaveLength(5 + 1 + 1);
    expect(whatIsMissing(bare)).toEqual(expect.arrayContaining(leftToDo(bare)));
  });

  it('takes a blank answer for none', () => {
    const answers = { ...complete.answers, whatPrevents: { text: ' \n', by: 'U1' } };
    expect(whatIsMissing({ ...complete, answers })).toEqual(['“What prevents recurrence?” has no answer.']);
  });

  it('wants an eval case that is proven, or the reason of the lead', () => {
    const unproven = { ...complete, evalCases: [{ description: 'd', proven: false }] };
    expect(whatIsMissing(unproven)).toEqual([
      'No eval case is proven: none fails on the bad outputs and passes on the good ones.',
    ]);
    expect(whatIsMissing({ ...complete, evalCases: [] })).toEqual(['No eval case was recorded.']);
    expect(whatIsMissing({ ...unproven, noEvalCaseReason: { text: 'provider down', by: 'U1' } })).toEqual([]);
  });

  it('wants a review of what one person ran alone', () => {
    const ran = (review?: { by: string; text: string }) => ({
      ...complete,
      mitigations: [
        {
          id: '7',
          summary: 's',
          from: 'a',
          to: 'b',
          proposedBy: 'U1',
          approvedBy: [],
          breakGlass: { by: 'U1', reason: 'r', review },
          status: 'proven',
        },
      ],
    });
    const missing = ['Mitigation 7 was run by break-glass, and nobody else has reviewed it.'];
    expect(whatIsMissing(ran())).toEqual(missing);
    expect(whatIsMissing(ran({ by: 'U2', text: ' ' }))).toEqual(missing);
    expect(whatIsMissing(ran({ by: 'U2', text: 'fine' }))).toEqual([]);
  });

  it('wants an owner and a date for each open action item', () => {
    const actionItems = [{ text: 'a' }, { text: 'b', owner: 'U1' }, { text: 'c', done: true }];
    expect(whatIsMissing({ ...complete, actionItems })).toEqual([
      '2 open action items have no owner or no due date.',
    ]);
  });
});
