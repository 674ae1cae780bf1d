import { closest, distance } from 'fastest-levenshtein';
import type { Flow } from '../../flow/flow.ts';
import { escapeLine } from '../mrkdwn.ts';
import { incidentOfChannel, type Subcommand } from './ask.ts';
import { declareQuickly, list, status } from './general-commands.ts';
import { lease } from './lease-commands.ts';
import { note, oncall, page } from './page-commands.ts';
import { report } from './report-command.ts';
import * as room from './room-commands.ts';
import { rootCause, signOff } from './safety-commands.ts';

interface Entry {
  run: Subcommand;
  usage: string;
  does: string;
}

const help: Subcommand = async () =>
  [
    '*/llm-incident* …',
    ...Object.values(SUBCOMMANDS).map(({ usage, does }) => `• \`${usage}\` ${does}`),
  ].join('\n');

/** Every subcommand there is; help, the nearest word and the README's table are made from it. */
export const SUBCOMMANDS: Record<string, Entry> = {
  declare: {
    run: declareQuickly,
    usage: 'declare [sev1 quality SERVICE TITLE]',
    does: 'declares an incident; without text, a form',
  },
  list: { run: list, usage: 'list', does: 'shows the open incidents' },
  status: {
    run: status,
    usage: 'status [INC-12] | status serving [SERVICE] [TIME] [TIME]',
    does: 'shows where an incident stands; what a service serves, served at TIME, and what changed between two',
  },
  contain: { run: room.contain, usage: 'contain [HOW]', does: 'records that users are no longer exposed' },
  tree: { run: room.tree, usage: 'tree [SYMPTOM]', does: 'walks the decision tree' },
  mitigate: {
    run: room.mitigate,
    usage: 'mitigate known-good | prompt NAME=VERSION | model ID | disable | …',
    does: 'proposes a mitigation for those who must approve; `mitigate` alone lists all',
  },
  page: {
    run: page,
    usage: 'page [@PERSON WHY | level N | to @PERSON]',
    does: 'pages the on-call engineer; calls people or a level; hands the page over',
  },
  oncall: { run: oncall, usage: 'oncall', does: 'shows who is on call' },
  note: { run: note, usage: 'note TEXT', does: 'keeps a note, in PagerDuty as well' },
  severity: {
    run: room.severity,
    usage: 'severity [sev1 | sev2 | sev3]',
    does: 'shows or changes the severity',
  },
  resolve: {
    run: room.resolve,
    usage: 'resolve [WHAT]',
    does: 'ends the incident and writes the post-mortem',
  },
  decline: { run: room.decline, usage: 'decline REASON', does: 'ends it as a false alarm' },
  lease: {
    run: lease,
    usage: 'lease [NUMBER keep HOURS | for-good REASON | NUMBER owner @USER]',
    does: 'shows what is on, whose and until when; keeps it on purpose; hands it over',
  },
  'root-cause': {
    run: rootCause,
    usage: 'root-cause [TEXT]',
    does: 'records what caused the incident; alone, shows it with its sign-offs',
  },
  'sign-off': {
    run: signOff,
    usage: 'sign-off [TEXT]',
    does: 'signs the root cause of a safety incident off',
  },
  close: {
    run: room.close,
    usage: 'close',
    does: 'closes a resolved incident whose post-mortem is done and whose mitigations are kept on purpose',
  },
  postmortem: {
    run: room.postmortem,
    usage: 'postmortem [answer QUESTION TEXT | action @OWNER DATE TEXT | review TEXT]',
    does: 'writes it again and says what is missing; answers one of its questions; adds an action item; reviews what one person ran alone',
  },
  eval: { run: room.evalCases, usage: 'eval', does: 'shows the eval cases' },
  report: {
    run: report,
    usage: 'report [30d] [SERVICE]',
    does: 'shows how fast incidents were contained, mitigated and resolved, and how often each rule was right',
  },
  help: { run: help, usage: 'help', does: 'shows this' },
};

/** What a slash command asks for: a subcommand, the form, or a word that is none. */
export function readCommand(text: string): { word: string; rest: string } {
  const [first = '', ...rest] = text.trim().split(/\s+/);
  return { word: first === '' ? 'help' : first.toLowerCase(), rest: rest.join(' ') };
}

/** True when the form is to be opened instead of answering in text. */
export function wantsForm({ word, rest }: { word: string; rest: string }): boolean {
  return word === 'declare' && rest === '';
}

/** Runs the subcommand; an unknown word answers with the nearest ones. */
export async function runCommand(
  flow: Flow,
  command: { text: string; userId: string; channelId: string; origin: string },
): Promise<string> {
  const { word, rest } = readCommand(command.text);
  const entry = Object.hasOwn(SUBCOMMANDS, word) ? SUBCOMMANDS[word] : undefined;
  if (entry === undefined) return unknownWord(word);
  const incident = await incidentOfChannel(flow, command.channelId);
  return entry.run({ ...command, flow, text: unescapeSlack(rest), incident });
}

/** Slack sends &, < and > as entities in command text. */
function unescapeSlack(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function unknownWord(word: string): string {
  const words = Object.keys(SUBCOMMANDS);
  const shown = escapeLine(word.slice(0, 40));
  const near = words.filter((known) => distance(word, known) <= 2 || known.startsWith(word));
  const nearest = near.length > 0 ? near : [closest(word, words)];
  return `There is no \`${shown}\`. Nearest: ${nearest.map((known) => `\`${known}\``).join(', ')}. \`help\` shows all.`;
}
