import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeLine, escapeText, mention, person, quoteBlock, slackDate, truncate } from './mrkdwn.ts';

const JOINER = '\u2060';
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('&', '<', '>', '@channel', '<!here>', '<@U1>', '```', '&amp;', '😀', '\n', 'a'), {
      maxLength: 60,
    })
    .map((parts) => parts.join('')),
);

test('outside-text-cannot-ping-anyone', () => {
  expect(escapeText('<!channel> <@U012ABC> <!subteam^S1> <!here|x>')).toBe(
    `&lt;!channel&gt; &lt;@${JOINER}U012ABC&gt; &lt;!subteam^S1&gt; &lt;!here|x&gt;`,
  );
  for (const word of ['@channel', '@here', '@everyone', '@Channel', 'x@here', '.@channel', '@jo']) {
    expect(escapeText(word)).toBe(word.replace('@', `@${JOINER}`));
  }
});

test('an-e-mail-address-survives-escaping', () => {
  expect(escapeText('write to help@example.com')).toBe('write to help@example.com');
});

test('an-entity-in-outside-text-is-shown-as-it-was-written', () => {
  expect(escapeText('&lt;!channel&gt;')).toBe('&amp;lt;!channel&amp;gt;');
});

test('characters-that-hide-or-reorder-text-are-dropped', () => {
  expect(escapeText('pay\u202Eload\u0000 \u2066x\u2069')).toBe('payload x');
});

test('outside-text-cannot-close-a-code-fence', () => {
  expect(quoteBlock('a\n```\n<!channel>', 100).match(/```/g)).toHaveLength(2);
  expect(quoteBlock('', 100)).toBe('```\n(empty)\n```');
});

test('a-line-break-in-outside-text-cannot-start-a-line-of-ours', () => {
  expect(escapeLine('title\n*Paged:* nobody\r\n\u2028x')).toBe('title *Paged:* nobody x');
});

test('only-ids-become-mentions', () => {
  expect(mention('U012ABC')).toBe('<@U012ABC>');
  expect(mention('W07')).toBe('<@W07>');
  expect(mention('S056GHI')).toBe('<!subteam^S056GHI>');
  expect(mention('<!channel>')).toBe('&lt;!channel&gt;');
  expect(person('S056GHI')).toBe('S056GHI');
});

test('cut-text-stays-within-its-length-and-never-splits-an-entity-or-a-character', () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 1, max: 80 }), (text, max) => {
      const escaped = escapeText(text);
      const cut = truncate(escaped, max);
      expect(cut.length).toBeLessThanOrEqual(max);
      expect(cut.isWellFormed()).toBe(true);
      expect(cut.replace(/&(amp|lt|gt);/g, '')).not.toMatch(/[&<>]/);
      if (escaped.length <= max) expect(cut).toBe(escaped);
    }),
    { numRuns: 500 },
  );
});

test('a-mention-is-cut-whole-or-not-at-all', () => {
  expect(truncate('hello <@U012ABC> there', 10)).toBe('hello…');
  expect(truncate('hello <@U012ABC> there', 18)).toBe('hello <@U012ABC>…');
});

test('a-date-is-shown-in-the-readers-zone-with-a-fallback-in-utc', () => {
  expect(slackDate(new Date('2026-11-22T03:04:05.600Z'))).toBe(
    '<!date^1795316645^{date_short_pretty} {time}|2026-11-22T03:04:05.600Z>',
  );
});
