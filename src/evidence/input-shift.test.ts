import { describe, expect, test } from 'vitest';
import type { SampledInput } from '../sources/input-sample-store.ts';
import { inputShifts } from './input-shift.ts';

const QUESTIONS = [
  'Where can I find the invoice of my last order, please?',
  'The parcel has not arrived yet, can somebody tell me where it is?',
  'How do I change the address to which my order is delivered?',
];
const FRAGEN = [
  'Wo finde ich bitte die Rechnung zu meiner letzten Bestellung?',
  'Das Paket ist noch nicht angekommen, wissen Sie, wo es gerade ist?',
  'Wie ändere ich die Adresse, an die meine Bestellung geliefert wird?',
];

const requests = (n: number, texts: readonly string[], about: Partial<SampledInput> = {}): SampledInput[] =>
  Array.from({ length: n }, (_, index) => {
    const text = texts[index % texts.length] ?? '';
    return {
      chars: text.length + (index % 7),
      tokens: 12,
      endpoint: '/ask',
      isKnownUser: true,
      text,
      ...about,
    };
  });
const measure = (shifts: ReturnType<typeof inputShifts>, name: string) =>
  shifts.find((one) => one.measure === name);

describe('the shift of the inputs', () => {
  test('the-same-requests-show-no-difference-in-anything', () => {
    const shifts = inputShifts(requests(120, QUESTIONS), requests(120, QUESTIONS));
    expect(shifts.length).toBeGreaterThan(1);
    for (const { p, note } of shifts) {
      expect(p).toBeGreaterThan(0.5);
      expect(note).toBeNull();
    }
  });

  test('another-language-and-a-new-endpoint-stand-out-and-are-named', () => {
    const after = [
      ...requests(60, QUESTIONS),
      ...requests(60, FRAGEN, { endpoint: '/partner', isKnownUser: false }),
    ];
    const shifts = inputShifts(requests(120, QUESTIONS), after);
    expect(measure(shifts, 'language')).toMatchObject({
      before: 'eng 100 %',
      note: expect.stringContaining('deu'),
    });
    expect(measure(shifts, 'endpoint')).toMatchObject({ note: 'new: /partner (50 %)', n: 120, nBefore: 120 });
    expect(measure(shifts, 'users not seen the day before')?.p).toBeLessThan(0.001);
    expect(measure(shifts, 'vocabulary')?.p).toBeLessThan(0.05);
    expect(measure(shifts, 'input tokens')?.p).toBe(1);
  });

  test('what-was-not-recorded-is-not-compared', () => {
    const blank = requests(50, QUESTIONS, { text: null, chars: null, endpoint: null, isKnownUser: null });
    expect(inputShifts(blank, blank).map((one) => one.measure)).toEqual(['input tokens']);
    expect(inputShifts([], requests(10, QUESTIONS))).toEqual([]);
  });
});
