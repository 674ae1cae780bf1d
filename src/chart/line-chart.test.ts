import { expect, test } from 'vitest';
import { lineChartPng, lineChartSvg, type Panel } from './line-chart.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 22, 12, minute));
const panel: Panel = {
  title: '0.86 at first, 0.56 at last',
  axis: { title: 'score', format: '.2f' },
  points: [0, 10, 20, 30].map((minute) => ({
    at: at(minute),
    value: minute < 20 ? 0.86 : 0.56,
    threshold: 0.72,
    baseline: 0.85,
  })),
  marks: [{ at: at(15), label: 'model <changed> & more' }],
  spans: [{ from: at(15), to: at(30) }],
};
const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);

test('a-chart-says-what-it-shows-with-units-and-names-its-lines', async () => {
  const svg = await lineChartSvg('INC-1 Quality score', [panel]);
  const texts = textsOf(svg);
  const said = [
    'INC-1 Quality score',
    panel.title,
    'score',
    'UTC, 22 Nov',
    '12:10',
    '0.80',
    'usual',
    'alert',
  ];
  expect(texts).toEqual(expect.arrayContaining(said));
  expect(texts).toContain('model &lt;changed&gt; &amp; more');
  expect(svg).toMatch(/fill="white"/);
});

test('the-incident-is-shaded-and-a-line-without-values-is-not-named', async () => {
  const { spans: _, ...unshaded } = panel;
  const isShaded = (svg: string) => svg.includes('fill="#b3261e" opacity="0.08"');
  expect(isShaded(await lineChartSvg('x', [panel]))).toBe(true);
  const points = panel.points.map((point) => ({ ...point, threshold: null, baseline: null }));
  const svg = await lineChartSvg('x', [{ ...unshaded, points }]);
  expect(isShaded(svg)).toBe(false);
  expect(textsOf(svg)).not.toEqual(expect.arrayContaining(['usual']));
  expect(textsOf(svg)).not.toEqual(expect.arrayContaining(['alert']));
});

test('a-chart-is-as-wide-as-a-phone-unless-somebody-sits-at-a-desk', async () => {
  const widthOf = (png: Buffer) => png.readUInt32BE(16);
  const phone = widthOf(await lineChartPng('x', [panel]));
  expect(phone).toBeGreaterThan(700);
  expect(phone).toBeLessThan(900);
  expect(widthOf(await lineChartPng('x', [panel], { widthPx: 720, heightPx: 120 }))).toBeGreaterThan(1_400);
});
