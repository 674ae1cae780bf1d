import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { personalData } from './example-personal-data.ts';
import { redact, sensitiveKinds } from './redaction.ts';

// Put together here, so that no scanner takes this file for a leak.
const key = (...parts: string[]) => parts.join('');

describe('redact', () => {
  it.each(personalData)('takes out a %s and nothing beside it', (_, text, redacted) => {
    expect(redact(text)).toBe(redacted);
  });

  it('covers at least 26 kinds', () => {
    expect(personalData.length).toBeGreaterThanOrEqual(26);
  });

  it.each([
    '2026-11-22T03:20:54.123Z',
    '1763800000.123456',
    'gpt-4-0613 and claude-3-5-sonnet-20241022',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '550e8400-e29b-41d4-a716-446655440000',
    'max_tokens=500, p99 2340 ms, 0.82 against 0.61 over 1,234,567 calls',
    'U0123456789 in C0123456789, INC-12',
    '4111 1111 1111 1112 fails its check digit',
    'listen on 192.168.1.1 or 127.0.0.1, version 12.3.4.5',
    'password: str = required, token: string',
    'const password = generate(length);',
    'the class sk-folding-cube-loader and the task-force-of-2026',
  ])('leaves %s alone', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('keeps the number beside a card number', () => {
    expect(redact('order 1234 4111 1111 1111 1111 12/27')).toBe('order 1234 [card] 12/27');
  });

  it('keeps the name of what was assigned', () => {
    expect(redact('https://h.example/x?access_token=abc123def456&page=2')).toBe(
      'https://h.example/x?access_token=[key]&page=2',
    );
  });

  it('finds a private key that was cut off', () => {
    expect(redact(key('-----BEGIN RSA ', 'PRIVATE KEY-----\nMIIEow\nabc'))).toBe('[key]');
  });

  it('says which kinds it found', () => {
    expect([...sensitiveKinds('jane@example.com, 4111111111111111')].sort()).toEqual(['card', 'email']);
    expect(sensitiveKinds('nothing here').size).toBe(0);
  });

  it('changes nothing the second time, whatever the text', () => {
    const shards = personalData.flatMap(([, text]) => text.split(/(?<=[ :=@.-])/));
    const piece = fc.oneof(
      fc.constantFrom(
        ...shards,
        ...personalData.map(([, text]) => text),
        '[email]',
        '[key]',
        '://',
        '@',
        '=',
        '+',
        '0',
      ),
      fc.string({ maxLength: 6 }),
    );
    const text = fc.array(piece, { maxLength: 14 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (value) => {
        const once = redact(value);
        expect(redact(once)).toBe(once);
      }),
      { numRuns: 2_000 },
    );
  });

  it('alters fewer than one ordinary answer in a hundred', (context) => {
    const file = path.join(process.env['LLM_INCIDENT_DATA_DIR'] ?? '', 'halueval-general-2000.jsonl');
    if (!existsSync(file)) {
      console.log(`skipped: no ${file}; set LLM_INCIDENT_DATA_DIR to HaluEval's answers to measure this`);
      context.skip();
      return;
    }
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const answers = lines.map((line) => (JSON.parse(line) as { chatgpt_response: string }).chatgpt_response);
    const altered = answers.filter((answer) => redact(answer) !== answer).length;
    expect(answers.length).toBe(2_000);
    expect(altered / answers.length).toBeLessThan(0.01);
  });
});

describe('redaction time', () => {
  const hostile: readonly (readonly [string, string])[] = [
    ['digits', '1'],
    ['digit groups', '4111 '],
    ['hyphened digits', '1-'],
    ['local parts', 'a.'],
    ['at signs', 'a@'],
    ['domains', 'a@b.c.d.e.f.'],
    ['tokens', 'eyJaaaaaaaaa'],
    ['dotted tokens', 'eyJaaaaaaaaa.'],
    ['opened keys', '-----BEGIN PRIVATE KEY-----'],
    ['dashes', '-----BEGIN '],
    ['addresses', 'https://a:b'],
    ['assignments', 'password='],
    ['quotes', 'secret="'],
    ['labels', 'passport number '],
    ['phones', '+1 (4'],
    ['trunks', '(01 23 '],
    ['accounts', 'AA11 AAAA '],
    ['brackets', 'a [at] '],
    ['spaces', 'Bearer   '],
    ['networks', 'ip ip: 1.1.'],
  ];

  it.each(hostile)('grows no faster than the text of %s does', (_, seed) => {
    const small = seed.repeat(Math.ceil(25_000 / seed.length));
    const large = seed.repeat(Math.ceil(200_000 / seed.length));
    // Eight times the text; a quadratic pattern would take sixty-four times as long. A busy machine may
    // spoil a try, so the best of five counts.
    let ratio = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 5 && ratio > 16; tries += 1) {
      ratio = Math.min(ratio, fastest(large) / Math.max(fastest(small), 0.5));
    }
    expect(ratio).toBeLessThan(28);
  });

  function fastest(text: string): number {
    const times = Array.from({ length: 4 }, () => {
      const start = performance.now();
      redact(text);
      return performance.now() - start;
    });
    return Math.min(...times);
  }
});
