import { expect, test } from 'vitest';
import { outlineOf, outlineText, overviewOf } from './outline.ts';
import { loadPlaybook, parsePlaybook } from './playbook.ts';

const playbook = loadPlaybook();

test('a-branch-is-drawn-with-every-step-once-and-every-end', () => {
  for (const symptom of playbook.symptoms) {
    const rows = outlineOf(playbook, symptom, new Map());
    const steps = rows.filter(({ kind }) => kind === 'step').map(({ text }) => text);
    expect(steps.toSorted()).toEqual(symptom.steps.map(({ instruction }) => instruction).toSorted());
    expect(rows.filter(({ kind }) => kind === 'leaf').length).toBeGreaterThan(2);
  }
});

test('answers-that-lead-to-one-place-share-a-row-and-the-way-is-marked', () => {
  const tree = parsePlaybook(`
version: 1
symptoms:
  - id: slow
    symptom: Slow
    likely_cause: Load
    steps:
      - {id: a, instruction: First?, looks_at: none, yes: {leaf: end}, no: b, unknown: b}
      - {id: b, instruction: Second?, looks_at: none, yes: {leaf: end}, no: {leaf: end}, unknown: {leaf: end}}
leaves: {end: {advice: Done, action: null}}`);
  const [slow] = tree.symptoms;
  if (slow === undefined) throw new Error('no symptom');
  const rows = outlineOf(tree, slow, new Map([['a', 'yes']]));
  expect(outlineText(rows)).toBe(
    [
      'Slow',
      'Most likely: Load',
      'First? (asked)',
      '  yes: Done (reached)',
      '  no or unknown: Second?',
      '    in any case: Done',
    ].join('\n'),
  );
  expect(rows.filter(({ isWalked }) => isWalked).map(({ text }) => text)).toEqual(['Slow', 'First?', 'Done']);
  const on = outlineOf(
    tree,
    slow,
    new Map([
      ['a', 'unknown' as const],
      ['b', null],
    ]),
  );
  expect(on.filter(({ isWalked }) => isWalked).map(({ text }) => text)).toEqual([
    'Slow',
    'First?',
    'Second?',
  ]);
});

test('the-overview-names-every-symptom-with-its-first-investigation', () => {
  expect(overviewOf(playbook)).toHaveLength(3 * playbook.symptoms.length);
});
