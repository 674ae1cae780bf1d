import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { audienceOf, PUSHES, type Within } from './push-policy.ts';

const people: Within = {
  commander: 'UCOMMANDER',
  onCall: ['UONCALL', 'UONCALL'],
  owner: 'UOWNER',
  approvers: ['UAPPROVER', 'SGROUP'],
  leads: ['ULEAD'],
};

test('every-push-has-one-audience-and-there-are-no-others', () => {
  expect(PUSHES).toEqual({
    opened: 'on-call',
    'approval-needed': 'approvers',
    unacknowledged: 'on-call',
    'not-contained': 'commander',
    unproven: 'commander',
    failed: 'commander',
    'clock-breached': 'owner',
    'last-resort': 'engineering-lead',
    'called-by-name': 'named',
    contained: 'nobody',
  });
});

test('the-commander-is-told-else-on-call-else-who-may-approve-else-the-lead', () => {
  expect(audienceOf('not-contained', people, [])).toEqual(['UCOMMANDER']);
  expect(audienceOf('failed', { ...people, commander: null }, [])).toEqual(['UONCALL']);
  const alone = { ...people, commander: null, onCall: [] };
  expect(audienceOf('unproven', alone, [])).toEqual(['UAPPROVER', 'SGROUP']);
  expect(audienceOf('unproven', { ...alone, approvers: [] }, [])).toEqual(['ULEAD']);
});

test('who-acted-is-never-among-them', () => {
  expect(audienceOf('failed', people, ['UCOMMANDER', 'UONCALL'])).toEqual(['UAPPROVER', 'SGROUP']);
  expect(audienceOf('unacknowledged', people, ['UONCALL'])).toEqual(['UOWNER']);
});

test('an-opening-is-told-to-on-call-or-the-owner-and-to-nobody-else', () => {
  expect(audienceOf('opened', people, [])).toEqual(['UONCALL']);
  expect(audienceOf('opened', { ...people, onCall: [] }, [])).toEqual(['UOWNER']);
  expect(audienceOf('opened', people, ['UONCALL'])).toEqual([]);
  expect(audienceOf('opened', { ...people, onCall: [], owner: null }, [])).toEqual([]);
});

/** Files whose notices mention people, each for an occasion of the policy. */
const MENTION = {
  'summon.ts': 'approval-needed, last-resort, called-by-name, and clocks of leases',
  'contain-ladder.ts': 'approval-needed, where no phone is paged',
  'tick-clocks.ts': 'clock-breached',
  'ask-stakeholders.ts': 'clock-breached',
  'exposure-notice.ts': 'approval-needed',
  'answer-lease.ts': 'in the thread of the card, where it is no push',
};

test('nothing-else-in-the-flow-mentions-anybody', () => {
  const flow = join(import.meta.dirname, '..');
  const files = globSync('**/*.ts', { cwd: flow }).filter((file) => !file.endsWith('.test.ts'));
  expect(files.length).toBeGreaterThan(100);
  const mentioning = files.filter((file) => {
    const source = readFileSync(join(flow, file), 'utf8');
    const calls = source.match(/\bnotice\((?:[^()]|\([^()]*\))*\)/g) ?? [];
    return file !== 'effects.ts' && calls.some((call) => /\bmention\b|\.\.\.said\b/.test(call));
  });
  expect(mentioning.map((file) => basename(file)).sort()).toEqual(Object.keys(MENTION).sort());
});
