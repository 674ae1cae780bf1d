import { expect, test } from 'vitest';
import { type ChartRow, outlinePng, outlineSvg } from './outline-chart.ts';

const row = (text: string, depth = 0): ChartRow => ({
  depth,
  label: 'yes',
  text,
  kind: 'step',
  isMarked: false,
});

test('texts-of-an-outline-cannot-break-the-picture-and-wrap-within-it', () => {
  const svg = outlineSvg('A <tree> & more', [row('Is "a" < b? '.repeat(20), 3)]);
  expect(svg).toContain('A &lt;tree&gt; &amp; more');
  const lines = [...svg.matchAll(/<text x="(\d+)"[^>]*>([^<]*)</g)].slice(1);
  expect(lines.length).toBeGreaterThan(4);
  for (const [, x, text = ''] of lines)
    expect(Number(x) + text.replaceAll(/&\w+;/g, '.').length * 7).toBeLessThanOrEqual(420);
});

test('an-outline-becomes-a-picture-for-phones', () => {
  const png = outlinePng('Tree', [row('First?'), row('Second?', 1)]);
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect(png.readUInt32BE(16)).toBe(840);
});
