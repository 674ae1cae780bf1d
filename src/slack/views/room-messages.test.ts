import type { ActionsBlock, Button, KnownBlock } from '@slack/types';
import { expect, test } from 'vitest';
import type { ContextView, ProposalView, ReceiptView, TreeView } from '../../flow/ports.ts';
import { render } from './render.ts';

const at = new Date('2026-11-22T03:00:00Z');
const textOf = (blocks: KnownBlock[]) =>
  blocks.flatMap((block) => (block.type === 'section' ? [block.text?.text ?? ''] : [])).join('\n');
const buttonsOf = (blocks: KnownBlock[]) =>
  blocks
    .filter((block): block is ActionsBlock => block.type === 'actions')
    .flatMap((block) => block.elements as Button[])
    .map((button) => ({ id: button.action_id, value: button.value, style: button.style }));

const proposal: ProposalView = {
  mitigationId: 7,
  planHash: 'abc123',
  incidentId: 12,
  summary: 'Return support-answers to known-good',
  from: 'prompt v14',
  to: 'prompt v13',
  why: 'v14 went out before the score fell',
  blastRadius: 'all traffic',
  undo: 'move the prompt to v14',
  approvals: { have: 0, needed: 1 },
  standing: null,
  rehearsal: { kind: 'none', text: 'no rehearsal endpoint is declared for this service.', short: null },
  proposedBy: 'U01',
  approvers: ['U02', 'S03'],
  onCall: ['U04'],
  obstacle: null,
  mayBreakGlass: true,
  expiresAt: at,
  state: 'open',
  votes: [],
  outcome: null,
};

test('an-open-proposal-shows-the-plan-and-who-may-approve-it', () => {
  const { text, blocks } = render({ kind: 'proposal', proposal });
  for (const part of [
    'prompt v14',
    'prompt v13',
    'before the score fell',
    'all traffic',
    'move the prompt to v14',
  ]) {
    expect(textOf(blocks)).toContain(part);
  }
  expect(textOf(blocks)).toContain('*May approve:* <@U02>, <!subteam^S03>; on call now: <@U04>');
  expect(JSON.stringify(blocks.at(-1))).toMatch(/<@U01>.*expires <!date/);
  expect(buttonsOf(blocks)).toEqual([
    { id: 'approve', value: '7:abc123', style: 'primary' },
    { id: 'reject', value: '7:abc123', style: 'danger' },
    { id: 'break_glass', value: '7:abc123', style: undefined },
  ]);
  expect(text).toBe(
    '<@U02>, <!subteam^S03>; on call now: <@U04>: INC-12, proposal 7 waits for approval until 03:00 UTC: Return support-answers to known-good ' +
      '(prompt v14 → prompt v13)',
  );
});

test('what-the-headline-of-a-proposal-says-is-not-said-twice', () => {
  const short = { ...proposal, summary: 'model m1 → m2', from: 'm1', to: 'm2' };
  const told = textOf(render({ kind: 'proposal', proposal: short }).blocks);
  expect(told).toContain('*Proposal 7: model m1 → m2*');
  expect(told).not.toContain('*Now:*');
  expect(textOf(render({ kind: 'proposal', proposal }).blocks)).toContain(
    '*Now:* prompt v14\n*Then:* prompt v13',
  );
});

test('a-proposal-that-nobody-can-approve-says-so-and-offers-no-break-glass-where-nobody-may-break-it', () => {
  const stuck = { ...proposal, approvers: [], onCall: [], obstacle: 'Nobody can.', mayBreakGlass: false };
  const { text, blocks } = render({ kind: 'proposal', proposal: stuck });
  expect(textOf(blocks)).toContain('*May approve:* nobody else is configured\n*Nobody can.*');
  expect(buttonsOf(blocks).map(({ id }) => id)).toEqual(['approve', 'reject']);
  expect(text).toMatch(/^INC-12, proposal 7 waits/);
});

test('a-settled-proposal-says-who-decided-how-and-why', () => {
  const votes = [
    { voter: 'U01', choice: 'reject' as const, reason: 'wrong version' },
    { voter: 'U02', choice: 'approve' as const, reason: null },
    { voter: 'U04', choice: 'break-glass' as const, reason: 'nobody answers <!channel>' },
  ];
  const { blocks } = render({ kind: 'proposal', proposal: { ...proposal, votes } });
  const print = JSON.stringify(blocks.at(-1));
  expect(print).toContain('withdrawn by <@U01> (wrong version) · approved by <@U02>');
  expect(print).toContain('run alone, by break-glass, by <@U04> (nobody answers &lt;!channel&gt;)');
});

test.each([
  [
    { kind: 'result', text: 'v13 fixes 18 of 20.', short: 'fixes 18 of 20' },
    ['*Rehearsed:* v13 fixes 18 of 20.', 'Approve (fixes 18 of 20)'],
  ],
  [
    { kind: 'running', text: 'v13 is being rehearsed now.', short: null },
    ['*Rehearsed:* v13 is being rehearsed now.', 'Approve'],
  ],
  [
    { kind: 'none', text: 'no endpoint is declared.', short: null },
    ['*Not rehearsed:* no endpoint is declared.', 'Approve'],
  ],
] as const)('a proposal says of its rehearsal %j', (rehearsal, [line, onButton]) => {
  const { blocks } = render({ kind: 'proposal', proposal: { ...proposal, rehearsal } });
  expect(textOf(blocks)).toContain(line);
  expect(JSON.stringify(blocks)).toContain(`"text":"${onButton}"`);
});

test('a-settled-proposal-has-an-outcome-and-no-buttons', () => {
  const settled = { ...proposal, state: 'settled' as const, outcome: 'Expired: nobody voted' };
  const { text, blocks } = render({ kind: 'proposal', proposal: settled });
  expect(buttonsOf(blocks)).toEqual([]);
  expect(textOf(blocks)).toContain('Expired: nobody voted');
  expect(text).toContain('Expired: nobody voted');
});

test.each<[ReceiptView['verdict'], string]>([
  ['proving', 'PROVING'],
  ['proven', 'PROVEN'],
  ['unproven', 'UNPROVEN'],
  ['not-contained', 'NOT CONTAINED'],
  ['failed', 'FAILED'],
  ['stale', 'NOT RUN'],
  ['needs-human', 'a person must look'],
])('a receipt that is %s says %s first', (verdict, words) => {
  const receipt = {
    mitigationId: 7,
    summary: 'prompt v13',
    verdict,
    lines: ['37/200 calls'],
    next: 'Contain.',
  };
  const { text, blocks } = render({ kind: 'receipt', receipt });
  expect(textOf(blocks).split('\n')[0]).toContain(words);
  expect(text).toContain(words);
  expect(textOf(blocks)).toMatch(/• 37\/200 calls\n\*Next:\* Contain\./);
});

const context: ContextView = {
  incidentId: 12,
  changes: [{ component: 'prompt', from: 'v13', to: 'v14', at, actor: 'S056GHI' }],
  samples: Array.from({ length: 5 }, (_, i) => ({
    callId: i,
    traceId: `4bf92f3577b34da6a3ce929d0e0e473${i}`,
    input: `question ${i} from help@example.com`,
    output: `answer ${i} <!channel>`,
    score: 0.4,
    formatOk: true,
  })),
  samplesWithheld: null,
  past: [],
};

test('the-context-shows-what-changed-and-three-redacted-examples', () => {
  const { blocks } = render({ kind: 'context', context });
  const said = textOf(blocks);
  expect(said).toContain('prompt: v13 → v14 · <!date^');
  expect(said.match(/Failing example/g)).toHaveLength(3);
  expect(said).toContain('format kept · trace 4bf92f3577b34da6a3ce929d0e0e4730');
  expect(said).toContain('```\nquestion 0 from [email]\n```');
  expect(said).toContain('answer 0 &lt;!channel&gt;');
});

test('whoever-made-a-change-is-named-and-not-pinged', () => {
  const { blocks } = render({ kind: 'context', context });
  expect(textOf(blocks)).toContain('by S056GHI');
  expect(textOf(blocks)).not.toContain('subteam');
});

test('withheld-samples-are-not-shown-even-when-they-are-given', () => {
  const withheld = { ...context, samplesWithheld: 'Samples of a private incident stay out of Slack.' };
  const message = render({ kind: 'context', context: withheld });
  expect(JSON.stringify(message)).not.toMatch(/question|answer/);
  expect(textOf(message.blocks)).toContain('stay out of Slack');
});

test('a-context-without-changes-says-so', () => {
  const { text, blocks } = render({ kind: 'context', context: { ...context, changes: [] } });
  expect(textOf(blocks)).toContain('nothing that the ledger has seen');
  expect(text).toContain('no change on record');
});

const tree: TreeView = {
  incidentId: 12,
  choices: [
    { id: 'errors', symptom: 'Errors', suggested: 'errors rose' },
    { id: 'latency-spike', symptom: 'Answers are slow', suggested: null },
  ],
  step: null,
  leaf: null,
};
const step = {
  symptomId: 'errors',
  symptom: 'Errors',
  likelyCause: 'a rate limit',
  stepId: 'rate-limited',
  instruction: 'Are most of them rate limits?',
  finding: '429: 80 %',
  answers: ['yes' as const, 'unknown' as const],
};

test('the-tree-first-asks-for-the-symptom-and-says-what-the-evidence-points-to', () => {
  const { blocks } = render({ kind: 'tree', tree });
  expect(textOf(blocks)).toContain('• Errors: errors rose');
  expect(buttonsOf(blocks)).toEqual([
    { id: 'tree_symptom:errors', value: '12:errors', style: 'primary' },
    { id: 'tree_symptom:latency-spike', value: '12:latency-spike', style: undefined },
  ]);
});

test('a-step-is-asked-with-its-finding-and-only-its-answers', () => {
  const { text, blocks } = render({ kind: 'tree', tree: { ...tree, step } });
  expect(textOf(blocks)).toContain('*The evidence says:* 429: 80 %');
  expect(buttonsOf(blocks).map(({ id, value }) => [id, value])).toEqual([
    ['tree_answer:yes', '12:errors:rate-limited'],
    ['tree_answer:unknown', '12:errors:rate-limited'],
  ]);
  expect(text).toBe('INC-12, Errors: Are most of them rate limits? – 429: 80 %');
});

test('a-leaf-offers-its-mitigation-as-the-cards-own-button', () => {
  const leaf = { advice: 'Limit the user.', action: 'contain' as const };
  const { blocks } = render({ kind: 'tree', tree: { ...tree, leaf } });
  expect(buttonsOf(blocks)).toEqual([{ id: 'contain', value: '12', style: undefined }]);
  const advice = render({ kind: 'tree', tree: { ...tree, leaf: { ...leaf, action: null } } });
  expect(buttonsOf(advice.blocks)).toEqual([]);
});

test('a-notice-names-its-people-first-and-each-once', () => {
  const { text } = render({ kind: 'notice', text: 'Contain now.', mention: ['U01', 'S02', 'U01'] });
  expect(text).toBe('<@U01> <!subteam^S02> Contain now.');
});
