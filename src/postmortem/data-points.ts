import type { BlockContent, Heading, PhrasingContent } from 'mdast';
import { picture } from './pictures.ts';
import {
  code,
  heading,
  measure,
  none,
  paragraph,
  quoted,
  sentenceCase,
  strong,
  table,
  utc,
  words,
} from './prose.ts';
import type {
  DataPoints,
  DriftPoint,
  ModelPoint,
  PostmortemRecord,
  PromptPoint,
  Sample,
  Stratum,
  Variant,
} from './record.ts';

export interface SampleLimits {
  /** How many samples are printed with their texts. */
  readonly maxSamples: number;
  /** How many characters of each recorded text are printed. */
  readonly maxTextChars: number;
}

const privateReason =
  'This incident is private. Recorded texts stay in the content store and are not printed here.';

/** The five data points that only AI incidents have, as they were frozen at declaration. */
export function dataPoints(record: PostmortemRecord, limits: SampleLimits): (BlockContent | Heading)[] {
  const points = record.dataPoints;
  const hidden = record.incident.private;
  return [
    heading(3, words`Prompt in use`),
    ...(points.prompt ? promptPoint(points.prompt, hidden, limits) : [none('The prompt was not frozen.')]),
    heading(3, words`Model and configuration`),
    ...(points.model ? modelPoint(points.model) : [none('The model and its configuration were not frozen.')]),
    heading(3, words`Sample of outputs`),
    ...strataPoint(points.strata ?? []),
    ...samplePoint(points.samples ?? [], hidden, limits),
    heading(3, words`Drift in the two hours before`),
    ...verdictPoint(points.driftVerdict),
    ...(record.charts ?? []).map(picture),
    ...driftPoint(points.drift ?? []),
    heading(3, words`Shift of the inputs`),
    ...shiftPoint(points.inputShift),
  ];
}

// A rendered prompt holds a user's words, so a private incident shows only its checksum.
function promptPoint(prompt: PromptPoint, hidden: boolean, limits: SampleLimits): BlockContent[] {
  const { name, version, sha256, rendered } = prompt;
  const about = words`Version ${code(version)} of ${named(name)}${checksum(sha256)}.`;
  const blocks = [paragraph(about), ...variantTable(prompt.variants ?? [])];
  if (hidden) return [...blocks, paragraph(words`${privateReason}`)];
  if (!rendered) return [...blocks, paragraph(words`Its rendered text was not frozen.`)];
  return [...blocks, paragraph(words`As it was rendered:`), ...quoted(rendered, limits.maxTextChars)];
}

// Calls need not name their prompt, nor say its checksum.
function named(name: string): PhrasingContent[] {
  return name === 'unnamed' ? words`the prompt` : words`the prompt ${code(name)}`;
}

function checksum(sha256: string): PhrasingContent[] {
  return sha256 === 'unknown' ? words`; its checksum is not known` : words`, SHA-256 ${code(sha256)}`;
}

function variantTable(variants: readonly Variant[]): BlockContent[] {
  if (variants.length < 2) return [];
  const rows = variants.map(({ name, sha256, calls }) => [
    [code(name)],
    words`${calls}`,
    sha256 === undefined ? words`not known` : [code(sha256.slice(0, 12))],
  ]);
  return [
    paragraph(words`More than one variant made the calls of this incident:`),
    table(['Variant', 'Calls', 'SHA-256'], rows),
  ];
}

function modelPoint({ requested, served, parameters, servedSince }: ModelPoint): BlockContent[] {
  const swap =
    requested === served ? [] : words` These differ, so the model can change behind the requested name.`;
  const sinceText = servedSince === undefined ? [] : words` since ${utc(servedSince)}`;
  const blocks: BlockContent[] = [
    paragraph(words`Requested ${code(requested)}, served ${code(served)}${sinceText}.${swap}`),
  ];
  // Name and value are redacted together: a credential is known by its name.
  const set = Object.entries(parameters).flatMap(([name, value], index) => {
    return words`${index === 0 ? [] : words`, `}${code(`${name}=${String(value)}`)}`;
  });
  blocks.push(paragraph(set.length > 0 ? words`Parameters: ${set}.` : words`No parameters were recorded.`));
  return blocks;
}

/** Few of each kind are frozen, so that rare ones are among them; the counts say what the shares really were. */
function strataPoint(strata: readonly Stratum[]): BlockContent[] {
  if (strata.length === 0) return [];
  const all = strata.reduce((sum, { total }) => sum + total, 0);
  const rows = strata.map(({ kind, total, sampled }) => [
    words`${kind}`,
    words`${total} (${Math.round((100 * total) / all)} %)`,
    words`${sampled}`,
  ]);
  return [paragraph(words`How the calls of the incident ended:`), table(['Kind', 'Calls', 'Frozen'], rows)];
}

function samplePoint(samples: readonly Sample[], hidden: boolean, limits: SampleLimits): BlockContent[] {
  if (samples.length === 0) return [none('No outputs were frozen.')];
  const bad = samples.filter((sample) => sample.verdict === 'bad').length;
  const blocks: BlockContent[] = [
    paragraph(words`Frozen calls: ${bad} bad, ${samples.length - bad} good.`),
    table(['Call', 'Verdict', 'Score', 'Format'], samples.map(sampleRow)),
  ];
  if (hidden) return [...blocks, paragraph(words`${privateReason}`)];
  const shown = samples.slice(0, limits.maxSamples);
  for (const sample of shown) {
    blocks.push(
      paragraph(words`Call ${code(sample.callId)}, ${sample.verdict}. Its input:`),
      ...quoted(sample.input, limits.maxTextChars),
      paragraph(words`Its output:`),
      ...quoted(sample.output, limits.maxTextChars),
    );
  }
  const left = samples.length - shown.length;
  if (left > 0) blocks.push(paragraph(words`The texts of ${left} more calls are left out, to be short.`));
  return blocks;
}

function sampleRow({ callId, verdict, score, formatOk }: Sample): PhrasingContent[][] {
  return [
    [code(callId)],
    words`${verdict}`,
    score === undefined ? words`not scored` : words`${score}`,
    formatOk === undefined ? words`not checked` : words`${formatOk ? 'ok' : 'broken'}`,
  ];
}

function verdictPoint(verdict: DataPoints['driftVerdict']): BlockContent[] {
  if (verdict === undefined) return [];
  return [
    paragraph(
      words`Could it have been seen before? ${strong(sentenceCase(verdict.verdict))}. ${verdict.because.join(' ')}`,
    ),
  ];
}

function driftPoint(drift: readonly DriftPoint[]): BlockContent[] {
  if (drift.length === 0) return [none('No metrics were frozen.')];
  const inOrder = drift.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const rows = inOrder.map((point) => [
    words`${utc(point.at)}`,
    [code(point.rule)],
    point.value === null ? words`no data` : words`${measure(point.value, point.rule)}`,
    point.baseline === undefined ? words`none` : words`${measure(point.baseline, point.rule)}`,
    words`${point.n}`,
    words`${point.state}`,
  ]);
  return [table(['Time', 'Rule', 'Value', 'Baseline', 'Samples', 'State'], rows)];
}

function shiftPoint(shift: DataPoints['inputShift']): BlockContent[] {
  if (!shift?.length) return [none('The inputs were not compared with their baseline.')];
  const rows = shift.map((one) => [
    words`${one.metric}`,
    words`${one.before}`,
    words`${one.after}${one.note === undefined ? '' : `; ${one.note}`}`,
    words`${one.n}`,
    words`${one.effect ?? 'not tested'}`,
    words`${one.p === undefined ? 'not tested' : pText(one.p)}`,
  ]);
  const tested = shift.filter(({ p }) => p !== undefined).length;
  const compared = table(['Measure', 'Before', 'During', 'Samples', 'Effect', 'p'], rows);
  if (tested < 2) return [compared];
  return [
    compared,
    paragraph(words`p-values are adjusted for ${tested} measures that were tested at once (Holm).`),
  ];
}

function pText(p: number): string {
  return p < 0.001 ? 'below 0.001' : p.toFixed(3);
}
