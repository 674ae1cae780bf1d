import type { SectionBlock } from '@slack/types';
import type { ContextView } from '../../flow/ports.ts';
import { redact } from '../../redaction.ts';
import { quoteBlock, slackDate } from '../mrkdwn.ts';
import { bullets, buttons, optionalSection, type Rendered, rendered, section } from './blocks.ts';
import { factLine, outsideLine } from './outside-text.ts';

const MAX_CHANGES = 8;
const MAX_SAMPLES = 3;
const MAX_PAST = 3;

type Change = ContextView['changes'][number];
type Sample = ContextView['samples'][number];

/** What changed before the incident and a few failing examples; of withheld ones only the reason is shown. */
export function renderContext(context: ContextView): Rendered {
  const changes = bullets('*What changed*', context.changes.map(changeLine), MAX_CHANGES);
  const shown = context.samplesWithheld === null ? context.samples.slice(0, MAX_SAMPLES) : [];
  return rendered(fallback(context, shown.length), [
    section(changes ?? '*What changed:* nothing that the ledger has seen.'),
    ...shown.flatMap((sample, index) => [
      sampleBlock(sample, index),
      ...buttons([
        { label: 'Make eval case', actionId: 'eval_case', value: `${context.incidentId}:${sample.callId}` },
      ]),
    ]),
    ...(context.samplesWithheld === null ? [] : [section(outsideLine(context.samplesWithheld, 500))]),
    ...optionalSection(bullets('*Seen before*', context.past.map(pastLine), MAX_PAST)),
  ]);
}

// The actor comes from outside the workspace's own record, so it is shown as text and never pinged.
function changeLine(change: Change): string {
  const by = change.actor === null ? '' : ` · by ${factLine(change.actor, 80)}`;
  const fromTo = `${factLine(change.from, 100)} → ${factLine(change.to, 100)}`;
  return `${factLine(change.component, 40)}: ${fromTo} · ${slackDate(change.at)}${by}`;
}

function pastLine({ name, title, at, common, worked }: ContextView['past'][number]): string {
  const helped =
    worked.length === 0 ? 'nothing is proven to have helped' : `what helped: ${worked.join('; ')}`;
  const about = `${name} ${slackDate(at)} ${outsideLine(title, 100)}`;
  return `${about}: ${factLine(common.join(', '), 200)}; ${factLine(helped, 250)}`;
}

function sampleBlock(sample: Sample, index: number): SectionBlock {
  const verdicts = [
    `*Failing example ${index + 1}*`,
    sample.score === null ? null : `score ${sample.score.toFixed(2)}`,
    sample.formatOk === null ? null : sample.formatOk ? 'format kept' : 'format broken',
    sample.traceId === null ? null : `trace ${factLine(sample.traceId, 64)}`,
  ];
  return section(
    verdicts.filter((part) => part !== null).join(' · '),
    `Asked:\n${quoteBlock(redact(sample.input), 600)}`,
    `Answered:\n${quoteBlock(redact(sample.output), 900)}`,
  );
}

function fallback(context: ContextView, samples: number): string {
  const changes = context.changes.length;
  const found = changes === 0 ? 'no change on record' : changes === 1 ? '1 change' : `${changes} changes`;
  const some = samples === 1 ? '1 failing example' : `${samples} failing examples`;
  return `INC-${context.incidentId}, context: ${found}, ${samples === 0 ? 'no examples shown' : some}.`;
}
