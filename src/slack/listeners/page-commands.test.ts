import { expect, test } from 'vitest';
import { readPage } from './page-commands.ts';

test.each([
  ['', { kind: 'page' }],
  ['<@U1|ann> <!subteam^S2|@group> the  index', { kind: 'people', people: ['U1', 'S2'], rest: 'the index' }],
  ['to <@W1>', { kind: 'to', people: ['W1'], rest: '' }],
  ['level 2 who knows it', { kind: 'level', level: 2, rest: 'who knows it' }],
  ['@ann', { kind: 'unknown' }],
  ['somebody like <@U1>', { kind: 'unknown' }],
  ['level two', { kind: 'unknown' }],
])('page %s', (text, wanted) => {
  expect(readPage(text)).toEqual(wanted);
});
