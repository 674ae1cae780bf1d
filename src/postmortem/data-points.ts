import type { BlockContent, Heading, PhrasingContent } from 'mdast';
import { code, heading, none, paragraph, quoted, table, utc, words } from './prose.ts';
import type { DataPoints, DriftPoint, ModelPoint, PostmortemRecord, PromptPoint, Sample } from './record.ts';

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
    ...samplePoint(points.samples ?? [], hidden, limits),
    heading(3, words`Drift in the two hours before`),
    ...driftPoint(points.drift ?? []),
    heading(3, words`Shift of the inputs`),
    ...shiftPoint(points.inputShift),
  ];
}

// A rendered prompt holds a user's words, so a private incident shows only its checksum.
function promptPoint(prompt: PromptPoint, hidden: boolean, limits: SampleLimits): BlockContent[] {
  const { name, version, sha256, rendered } = prompt;
  const named = words`Prompt ${code(name)}, version ${code(version)}, SHA-256 ${code(sha256)}.`;
  if (hidden) return [paragraph(named), paragraph(words`${privateReason}`)];
  if (!rendered) return [paragraph(named), paragraph(words`Its rendered text was not frozen.`)];
  return [paragraph(named), paragraph(words`As it was rendered:`), ...quoted(rendered, limits.maxTextChars)];
}

function modelPoint({ requested, served, parameters }: ModelPoint): BlockContent[] {
  const swap = requested === served ? [] : words` These differ, so look for a silent change of the model.`;
  const blocks: BlockContent[] = [
    paragraph(words`Requested ${code(requested)}, served ${code(served)}.${swap}`),
  ];
  // Name and value are redacted together: a credential is known by its name.
  const set = Object.entries(parameters).flatMap(([name, value], index) => {
    return words`${index === 0 ? [] : words`, `}${code(`${name}=${String(value)}`)}`;
  });
  blocks.push(paragraph(set.length > 0 ? words`Parameters: ${set}.` : words`No parameters were recorded.`));
  return blocks;
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

function driftPoint(drift: readonly DriftPoint[]): BlockContent[] {
  if (drift.length === 0) return [none('No metrics were frozen.')];
  const inOrder = drift.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const rows = inOrder.map((point) => [
    words`${utc(point.at)}`,
    [code(point.rule)],
    point.value === null ? words`no data` : words`${point.value}`,
    point.baseline === undefined ? words`none` : words`${point.baseline}`,
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
    words`${one.after}`,
    words`${one.n}`,
  ]);
  return [table(['Measure', 'Before', 'During', 'Samples'], rows)];
}
