import type { KnownBlock } from '@slack/types';
import type { TreeLeafView, TreeStepView, TreeView } from '../../flow/ports.ts';
import { type ButtonSpec, bullets, buttons, type Rendered, rendered, section, smallPrint } from './blocks.ts';
import { incidentButtons } from './incident-buttons.ts';
import { factLine, outsideLine } from './outside-text.ts';

const ANSWER_LABELS = { yes: 'Yes', no: 'No', unknown: "Can't tell" };
const MAX_CHOICES = 25;

/** The decision tree where it stands: its end, else the question asked now, else the symptoms to choose. */
export function renderTree(tree: TreeView): Rendered {
  if (tree.leaf !== null) return renderLeaf(tree.incidentId, tree.leaf);
  if (tree.step !== null) return renderStep(tree.incidentId, tree.step);
  return renderChoices(tree);
}

function renderChoices(tree: TreeView): Rendered {
  const choices = tree.choices.slice(0, MAX_CHOICES);
  const suggested = choices.filter((choice) => choice.suggested !== null);
  const reasons = suggested.map(
    (choice) => `${factLine(choice.symptom, 75)}: ${factLine(choice.suggested ?? '', 150)}`,
  );
  const specs = choices.map(
    (choice, index): ButtonSpec => ({
      label: choice.symptom,
      actionId: `tree_symptom:${choice.id}`,
      value: `${tree.incidentId}:${choice.id}`,
      ...(index === 0 && choice.suggested !== null ? { style: 'primary' } : {}),
    }),
  );
  const picked = choices.find(({ id }) => id === tree.picked);
  const question =
    picked === undefined
      ? 'What do users see? Choose the symptom that fits best.'
      : `Picked: ${factLine(picked.symptom, 75)}, because ${factLine(picked.suggested ?? '', 150)}.`;
  const below =
    picked === undefined ? null : 'Its first step is below. Another symptom fits better? Choose it.';
  return rendered(`INC-${tree.incidentId}: ${question}`, [
    section(`*${question}*`, below, bullets('The evidence points to:', reasons, 5)),
    ...buttons(specs),
  ]);
}

function renderStep(incidentId: number, step: TreeStepView): Rendered {
  const instruction = outsideLine(step.instruction, 400);
  const found = step.finding === null ? null : `*The evidence says:* ${factLine(step.finding, 500)}`;
  // A button's id names its answer once, so a repeated answer must not repeat the button.
  const specs = [...new Set(step.answers)].map(
    (answer): ButtonSpec => ({
      label: ANSWER_LABELS[answer],
      actionId: `tree_answer:${answer}`,
      value: `${incidentId}:${step.symptomId}:${step.stepId}`,
      ...(answer === step.says ? { style: 'primary' } : {}),
    }),
  );
  const text = `INC-${incidentId}, ${factLine(step.symptom, 75)}: ${instruction}`;
  return rendered(step.finding === null ? text : `${text} – ${factLine(step.finding, 300)}`, [
    section(`*${instruction}*`, found),
    ...buttons(specs),
    smallPrint(`${factLine(step.symptom, 75)} · most likely: ${factLine(step.likelyCause, 300)}`),
  ]);
}

function renderLeaf(incidentId: number, leaf: TreeLeafView): Rendered {
  const advice = outsideLine(leaf.advice, 800);
  const blocks: KnownBlock[] = [section('*Where this leads*', advice), ...planBlocks(leaf.plan ?? null)];
  blocks.push(...leafButtons(incidentId, leaf));
  return rendered(`INC-${incidentId}: ${advice}`, blocks);
}

/** The prepared plan before anybody proposes it. */
function planBlocks(plan: TreeLeafView['plan'] | null): KnownBlock[] {
  if (plan == null) return [];
  const [first = '', ...rest] = plan.lines.map((line) => factLine(line, 500));
  if (!plan.isReady) return [smallPrint(`No plan is prepared: ${first}`)];
  return [section(`*Prepared:* ${first}`), ...(rest.length === 0 ? [] : [smallPrint(...rest)])];
}

function leafButtons(incidentId: number, { action, plan, symptomId }: TreeLeafView): KnownBlock[] {
  if (action === 'propose' || action === 'contain')
    return buttons(incidentButtons([action], { incidentId, service: 'the service', knownGood: null }));
  if (action === null || plan?.isReady !== true) return [];
  const value = `${incidentId}:${symptomId ?? ''}`;
  return buttons([{ label: 'Propose this plan', actionId: 'tree_plan', value, style: 'primary' }]);
}
