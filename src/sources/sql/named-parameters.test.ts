import { describe, expect, test } from 'vitest';
import { bindable } from './named-parameters.ts';

describe('named parameters of a query', () => {
  test('each-name-becomes-one-typed-placeholder', () => {
    expect(bindable('select :from, :to, :from where s = :service')).toEqual({
      text: 'select $1::timestamptz, $2::timestamptz, $1::timestamptz where s = $3::text',
      names: ['from', 'to', 'service'],
    });
    expect(bindable('limit :newest')).toEqual({ text: 'limit $1::int', names: ['newest'] });
  });

  test.each([
    ['a cast', 'select x::text, :service::text', 'select x::text, $1::text::text'],
    ['a literal', "select ':to', 'it''s :to', :to", "select ':to', 'it''s :to', $1::timestamptz"],
    ['an escape literal', String.raw`select E'\':to', :to`, String.raw`select E'\':to', $1::timestamptz`],
    ['a plain backslash', String.raw`select '\', :to`, String.raw`select '\', $1::timestamptz`],
    ['a quoted name', 'select "a"":to", :to', 'select "a"":to", $1::timestamptz'],
    ['a line comment', 'select 1 -- :to\n, :to', 'select 1 -- :to\n, $1::timestamptz'],
    ['a nested comment', '/* /* :to */ :to */ :to', '/* /* :to */ :to */ $1::timestamptz'],
    [
      'a dollar quote',
      'select $$:to$$, $a$ $$ :to $a$, :to',
      'select $$:to$$, $a$ $$ :to $a$, $1::timestamptz',
    ],
    ['an array slice', 'select a[1:2], :to', 'select a[1:2], $1::timestamptz'],
    ['a name with a dollar', 'select a$b$ + :to, c$b$', 'select a$b$ + $1::timestamptz, c$b$'],
  ])('the-colons-of-%s-are-left-alone', (_, query, text) => {
    expect(bindable(query).text).toBe(text);
  });

  test('an-unknown-name-is-refused-with-the-names-that-exist', () => {
    expect(() => bindable('select :since')).toThrow(
      ':since is not a parameter; there are :service, :environment, :from, :to, :newest',
    );
  });
});
