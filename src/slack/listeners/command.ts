import { closest, distance } from 'fastest-levenshtein';
import type { Flow } from '../../flow/flow.ts';
import { actionOf } from '../../flow/incident/who-may.ts';
import { escapeLine } from '../mrkdwn.ts';
import { type Answer, incidentOfChannel, type Subcommand } from './ask.ts';
import { characterise } from './characterise.ts';
import { close } from './close-command.ts';
import { evalCases } from './eval-commands.ts';
import { refusal } from './gate.ts';
import { declareQuickly, list, status } from './general-commands.ts';
import { lease } from './lease-commands.ts';
import { note, oncall, page } from './page-commands.ts';
import * as people from './people-commands.ts';
import { postmortem } from './postmortem-commands.ts';
import { report } from './report-command.ts';
import * as room from './room-commands.ts';
import { rootCause, signOff } from './safety-commands.ts';
import { stakeholderCommands } from './stakeholder-commands.ts';
import { timeline } from './timeline-commands.ts';
import { tree } from './tree.ts';

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
  contain: {
    run: room.contain,
    usage: 'contain [HOW | waive REASON]',
    does: 'records that users are no longer exposed; or why it stays on',
  },
  characterise: {
    run: characterise,
    usage: 'characterise [QUESTION TEXT | reproduce]',
    does: 'answers the five questions from the evidence; corrects one; sends failing examples again',
  },
  tree: {
    run: tree,
    usage: 'tree [--show] [SYMPTOM]',
    does: 'walks the decision tree, on the branch that the evidence picks; draws it',
  },
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
    run: people.severity,
    usage: 'severity [sev1 | sev2 | sev3]',
    does: 'shows the severity and what follows from another; changes it',
  },
  role: {
    run: people.role,
    usage: 'role [commander | scribe | comms [@PERSON | release]]',
    does: 'shows who does what; takes a role, hands it over, lets it go',
  },
  invite: {
    run: people.invite,
    usage: 'invite @PERSON | @GROUP | oncall',
    does: 'lets people into the room',
  },
  update: {
    run: people.update,
    usage: 'update [TEXT]',
    does: 'tells everybody where it stands; without text, a form',
  },
  merge: {
    run: people.merge,
    usage: 'merge INC-12',
    does: 'ends this incident, because it is the same as that one',
  },
  resolve: {
    run: room.resolve,
    usage: 'resolve [@OWNER] [WHAT]',
    does: 'ends the incident and writes the post-mortem, for its owner to complete',
  },
  decline: { run: room.decline, usage: 'decline REASON', does: 'ends it as a false alarm' },
  timeline: {
    run: timeline,
    usage: 'timeline [TEXT | at HH:MM TEXT | good | bad | luck TEXT]',
    does: 'shows the timeline; adds a line to it, now or at a time of your own zone',
  },
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
    run: close,
    usage: 'close [anyway REASON | archive]',
    does: 'closes a resolved incident whose post-mortem is done and whose mitigations are kept on purpose; archives its room',
  },
  postmortem: {
    run: postmortem,
    usage:
      'postmortem [edit | answer QUESTION TEXT | action @OWNER DATE TEXT | review TEXT | owner @PERSON | snooze HOURS REASON | sign-off]',
    does: 'writes it again and says what is missing; edits it in a form; adds to it; hands it over; puts its reminders off; signs it off',
  },
  eval: {
    run: evalCases,
    usage: 'eval [add N | TRACE [ASSERTION] | drop N | none REASON]',
    does: 'shows the eval cases; makes one of a failing example or another call; takes one out; says why there is none',
  },
  report: {
    run: report,
    usage: 'report [30d] [SERVICE]',
    does: 'shows how fast incidents were contained, mitigated and resolved, and how often each rule was right',
  },
  ...stakeholderCommands,
  help: { run: help, usage: 'help', does: 'shows this' },
};

/** What a slash command asks for: a subcommand, the form, or a word that is none. */
export function readCommand(text: string): { word: string; rest: string } {
  const [first = '', ...rest] = text.trim().split(/\s+/);
  return { word: first === '' ? 'help' : first.toLowerCase(), rest: rest.join(' ') };
}

/** Runs the subcommand; an unknown word answers with the nearest ones. */
export async function runCommand(
  flow: Flow,
  command: { text: string; userId: string; channelId: string; origin: string },
): Promise<Answer> {
  const { word, rest } = readCommand(command.text);
  const entry = Object.hasOwn(SUBCOMMANDS, word) ? SUBCOMMANDS[word] : undefined;
  if (entry === undefined) return unknownWord(word);
  const incident = await incidentOfChannel(flow, command.channelId);
  const action = incident === null ? null : actionOf({ word, rest }, incident);
  if (incident !== null && action !== null) {
    const refused = await refusal(flow, { incident, by: command.userId, action });
    if (refused !== null) return refused;
  }
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
