import { afterEach, expect, test, vi } from 'vitest';
import { InputError } from '../../errors.ts';
import type { ContainRequest } from './contain-at-once.ts';
import { runContain, type Ways } from './run-contain.ts';

const REPORT = {
  contained: true,
  incident: 'INC-1',
  mitigation: 1,
  status: 'applied' as const,
  planHash: 'f'.repeat(64),
  plan: { changes: 'disable the feature', blastRadius: 'All calls.', undo: 'enable the feature' },
  said: 'Read-back: disabled.',
  byHand: null,
};

const said: string[] = [];
vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
afterEach(() => said.splice(0));

function run(args: string[], ways: Partial<Ways> = {}) {
  const asked: ContainRequest[] = [];
  const alone = async (request: ContainRequest) => {
    asked.push(request);
    return REPORT;
  };
  const code = runContain(args, { botFile: '/nowhere/terminal.json', alone, byHand: () => null, ...ways });
  return code.then((ended) => ({ code: ended, asked }));
}

test.each([
  [[], 'disable'],
  [['--known-good'], 'known-good'],
  [['--fallback', 'cached'], 'fallback cached'],
  [['--type', 'refund'], 'disable refund'],
  [['--limit', 'user u-7 4'], 'limit user u-7 4'],
  [['--cap', '200'], 'cap 200'],
  [['--block', 'legal advice'], 'block legal advice'],
])('asks for %j as "%s"', async (args, wish) => {
  const { code, asked } = await run(['bot', '--reason', ' a loop ', '--by', 'ann', ...args]);
  expect([code, asked]).toEqual([0, [{ service: 'bot', wish, reason: 'a loop', by: 'ann', safety: false }]]);
});

test.each([
  [[]],
  [['bot']],
  [['bot', '--reason', ' ']],
  [['bot', 'other', '--reason', 'x']],
  [['bot', '--reason', 'x', '--enable']],
  [['bot', '--reason', 'x', '--known-good', '--cap', '5']],
])('shows its usage for %j', async (args) => {
  await expect(run(args)).rejects.toThrow(InputError);
  await expect(run(args)).rejects.toThrow('Usage: npm run contain');
});

test('a-person-reads-the-outcome-first-and-a-script-reads-all-of-it', async () => {
  await run(['bot', '--reason', 'x', '--by', 'ann']);
  await run(['bot', '--reason', 'x', '--json']);
  expect(said[0]).toBe(
    [
      'bot is contained (INC-1). Read-back: disabled.',
      'Plan: disable the feature. Who is affected: All calls.',
      'To undo it: enable the feature.',
      'Mitigation 1, plan ffffffffffff, by terminal:ann, to be reviewed.',
    ].join('\n'),
  );
  expect(JSON.parse(said[1] ?? '')).toEqual(REPORT);
});

test('with-neither-bot-nor-database-the-switch-of-the-vendor-is-all-that-is-left', async () => {
  const alone = async () => {
    throw new Error('connect ECONNREFUSED');
  };
  const { code } = await run(['bot', '--reason', 'x'], {
    alone,
    byHand: () => 'https://vendor.example/flags',
  });
  expect(code).toBe(1);
  expect(said[0]).toBe(
    'bot is NOT contained. No bot is up here. connect ECONNREFUSED\nBy hand: https://vendor.example/flags',
  );
});
