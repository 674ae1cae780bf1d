import type { ReceiptView } from '../../flow/ports.ts';
import { bullets, optionalSection, type Rendered, rendered, section } from './blocks.ts';
import { outsideLine } from './outside-text.ts';

const HEADLINES: Record<ReceiptView['verdict'], string> = {
  proving: 'PROVING',
  proven: 'PROVEN by live traffic',
  unproven: 'UNPROVEN: its deadline passed without enough traffic to tell',
  'not-contained': 'NOT CONTAINED',
  failed: 'FAILED: the change did not take effect',
  stale: 'NOT RUN: the service changed after this was proposed',
  'needs-human': 'STOPPED: a person must look',
  reverted: 'TAKEN BACK',
};

/** What became of a mitigation: the verdict first, then what was measured, then what to do next. */
export function renderReceipt(receipt: ReceiptView): Rendered {
  const headline = HEADLINES[receipt.verdict];
  const summary = outsideLine(receipt.summary, 300);
  const next = receipt.next === null ? null : outsideLine(receipt.next, 400);
  const lines = receipt.lines.map((line) => outsideLine(line, 250));
  const text = [`${headline} – mitigation ${receipt.mitigationId}: ${summary}`, lines[0] ?? null, next];
  return rendered(text.filter((part) => part !== null).join(' – '), [
    section(`*${headline}*`, `Mitigation ${receipt.mitigationId}: ${summary}`),
    ...optionalSection(bullets(null, lines, 9)),
    ...(next === null ? [] : [section(`*Next:* ${next}`)]),
  ]);
}
