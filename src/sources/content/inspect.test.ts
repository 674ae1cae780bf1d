import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectCall } from './inspect.ts';

const output = (text: string, input: string | null = null) => inspectCall({ input, output: text });

describe('a refusal', () => {
  it.each([
    "I'm sorry, but I can't help with that.",
    'I’m sorry, but I can’t assist with that request.',
    'I cannot provide medical advice. Please see a doctor.',
    "I'm unable to help you with that.",
    'Unfortunately, I am not able to share internal documents.',
    'As an AI language model, I do not have access to your account.',
    'I must decline to answer this question.',
    'Es tut mir leid, dabei kann ich Ihnen nicht helfen.',
    'Je suis désolé, mais je ne peux pas répondre à cette question.',
    'Lo siento, pero no puedo ayudar con eso.',
    'Mi dispiace, ma non posso rispondere.',
    'Desculpe, mas não posso ajudar com isso.',
    'Het spijt me, daar kan ik u niet mee helpen.',
    '申し訳ありませんが、そのご質問にはお答えできません。',
    '抱歉，我无法回答这个问题。',
    '죄송하지만 그 요청은 도와드릴 수 없습니다.',
    'Извините, я не могу ответить на этот вопрос.',
  ])('is seen in: %s', (text) => {
    expect(output(text).refused).toBe(true);
  });

  it.each([
    'Your refund is on its way.',
    "I'm sorry to hear that your parcel is late. It left our warehouse this morning.",
    "I can't recommend this film enough.",
    "I can't help with the address, but here is the form for it.",
    'He said that he could not help.',
    'Sorry for the wait! Your order ships tomorrow.',
    'To reset the router, hold the button. If that fails, support can not help without the serial number.',
    '',
  ])('is not seen in: %s', (text) => {
    expect(output(text).refused).toBe(false);
  });

  it('is not a long answer that declines one part of what was asked', () => {
    expect(
      output(`I cannot discuss prices. ${'The plan has these parts and each does this. '.repeat(60)}`)
        .refused,
    ).toBe(false);
  });
});

describe('hedging', () => {
  it.each([
    "I'm not sure, but the office opens at nine.",
    'As far as I know, it ships on Monday.',
    'It might be the cable, or perhaps the socket; it could be both.',
    'Ich bin mir nicht sicher, ob das stimmt.',
  ])('is seen in: %s', (text) => {
    expect(output(text).hedged).toBe(true);
  });

  it.each([
    'The office opens at nine.',
    `You might need a screwdriver. ${'Turn the screw to the left until it comes out of the board. '.repeat(10)}`,
  ])('is not seen in: %s', (text) => {
    expect(output(text).hedged).toBe(false);
  });
});

const policy =
  'Context: Refunds are possible within 30 days of delivery and cost $4.50 in shipping. Jane Doe founded the shop in ' +
  '1998 with 1,200 customers; revenue was 3.14 million euros. See https://shop.example/refunds.\n\nQuestion: how long?';

describe('an output beside the source in its input', () => {
  it.each([
    ['Refunds are possible within 14 days of delivery.', true],
    ['Refunds are possible within 30 days of delivery.', false],
    ['Refunds cost $9 in shipping.', true],
    ['Shipping of refunds costs 4.5 dollars.', false],
    ['The shop was founded in 1989.', true],
    ['Revenue was 3.1 million euros.', false],
    ['Revenue was 7.1 million euros.', true],
    ['It began with 1200 customers.', false],
    ['Delivery takes 5 people.', false],
  ])('contradicts it or does not: %s', (text, contradicts) => {
    expect(output(text, policy).contradicts).toBe(contradicts);
  });

  it.each([
    ['The shop was founded by Jane Doe.', false],
    ['The shop was founded by Jane Miller.', true],
    ['See https://shop.example/refunds.', false],
    ['See https://shop.example/returns.', true],
    ['They call it "possible within 30 days".', false],
    ['They call it "the golden promise".', true],
    ['It has 85 employees.', true],
    ['1. Ask for it.\n2. Send it.\n3. Wait [14].', false],
    ['That is four weeks and two days.', false],
  ])('is supported by it or not: %s', (text, unsupported) => {
    expect(output(text, policy).unsupported).toBe(unsupported);
  });

  it('is not judged when the input holds no source', () => {
    const without = [
      null,
      'How long do refunds take?',
      'Summarise the article https://news.example/a'.padEnd(200, 'x'),
    ];
    for (const input of without) {
      expect(output('Within 14 days.', input)).toMatchObject({ contradicts: null, unsupported: null });
    }
  });
});

describe('the words of an output', () => {
  it('are counted in 64 buckets, whatever their case', () => {
    const { words } = output('Red red GREEN');
    expect(words).toHaveLength(64);
    expect(words?.reduce((sum, n) => sum + n, 0)).toBe(3);
    expect(words).toEqual(output('green RED Red').words);
    expect(Math.max(...(words ?? []))).toBeGreaterThanOrEqual(2);
  });
});

describe('texts of any kind', () => {
  it('without an output show nothing but the size of the input', () => {
    const nothing = { refused: null, hedged: null, contradicts: null, unsupported: null, words: null };
    expect(inspectCall({ input: 'hello', output: null })).toEqual({ inputChars: 5, ...nothing });
    expect(inspectCall({ input: null, output: null }).inputChars).toBeNull();
  });

  it('are always answered, and every word is counted once', () => {
    const shard = fc.oneof(
      fc.constantFrom(
        "I'm sorry, ",
        'context: ',
        '1,0',
        '.',
        '"',
        '“',
        'Jane ',
        'https://',
        '\n',
        '30 days',
        '$',
        "'",
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    const text = fc.array(shard, { maxLength: 60 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, (input, value) => {
        const features = inspectCall({ input: `Context: ${input}`, output: value });
        expect(features.words).toHaveLength(64);
        expect(features.words?.every((n) => Number.isInteger(n) && n >= 0)).toBe(true);
        expect(typeof features.refused).toBe('boolean');
        expect(typeof features.hedged).toBe('boolean');
      }),
      { numRuns: 1_000 },
    );
  });

  const hostile = [
    '1',
    '1.',
    '1,111',
    '"',
    '“a ',
    'A ',
    'Ab ',
    "i'm ",
    'sorry ',
    'context',
    '-',
    '\n',
    '---\n',
    '30 days ',
  ];
  it.each([...hostile, 'https://', 'may ', "a'", '<context ', ' ', '١', '漢', 'i cannot '])(
    'take no longer than their length deserves: %j',
    (seed) => {
      const small = seed.repeat(Math.ceil(3_000 / seed.length));
      const large = seed.repeat(Math.ceil(96_000 / seed.length));
      // 32 times the text; a quadratic pass would take a thousand times as long. Processor time, so that a busy
      // machine spoils nothing, and the best of three.
      expect(leastCpuMs(large) / Math.max(leastCpuMs(small), 0.3)).toBeLessThan(250);
    },
  );

  function leastCpuMs(text: string): number {
    const times = Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      inspectCall({ input: `Context: ${text}`, output: `${text}x` });
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    });
    return Math.min(...times);
  }
});
