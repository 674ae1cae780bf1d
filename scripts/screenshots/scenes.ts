import { z } from 'zod';
import { visibleText } from '../../src/demo/slack/slack-blocks.ts';
import type { SlackChannel, SlackMessage, SlackView } from '../../src/demo/slack/slack-shapes.ts';
import { documentsArrive, talkAndResolve } from '../../src/demo/story/story-after.ts';
import { modelIsPinned, proofArrives, proposeAndApprove } from '../../src/demo/story/story-cure.ts';
import {
  modelMoves,
  onCallTakesIt,
  pageGoesOut,
  roomOpens,
  ruleFires,
  soundDay,
  walkTree,
} from '../../src/demo/story/story-incident.ts';
import type { Teller } from '../../src/demo/story/story-print.ts';
import { newest } from '../../src/demo/story/story-room.ts';
import { commandAs, createScene, expectThat, type Scene } from '../../src/demo/story/story-scene.ts';
import { createTraffic } from '../../src/demo/story/story-traffic.ts';
import { type DemoWorld, SERVICE } from '../../src/demo/story/story-world.ts';

/** What the bot really showed, at the moment at which it is worth a picture. */
export type Taken =
  | { kind: 'message'; name: string; message: SlackMessage; at: Date; now: Date }
  | { kind: 'modal' | 'home'; name: string; view: SlackView; now: Date }
  | { kind: 'document'; name: string; markdown: string }
  | { kind: 'file'; name: string; content: Buffer };

type TakenMessage = Extract<Taken, { kind: 'message' }>;

const SILENT: Teller = {
  line: () => undefined,
  note: () => undefined,
  plain: () => undefined,
  box: () => undefined,
};

/** Sound minutes that the chart shows before the fault. */
const MINUTES_BEFORE = 5;
/** The README tells of the score; where another rule was a minute faster, the pictures would tell of something else. */
const TITLE = 'Answers got worse';
/** Minutes of live traffic after the change until the receipt is worth a picture. */
const MINUTES_INTO_THE_PROOF = 4;

/** Plays the incident of the unattended demo and takes what the bot posted on the way. */
export async function playAndTake(world: DemoWorld): Promise<Taken[]> {
  const taken: Taken[] = [];
  const scene = createScene({ world, tell: SILENT, traffic: createTraffic(world) });
  const sound = await soundDay(scene);
  taken.push(await declareForm(scene));
  const good = world.service.state().model;
  await minutes(scene, MINUTES_BEFORE);
  await modelMoves(scene);
  const fired = await ruleFires(scene, sound);
  expectThat(visibleText(fired.card).includes(TITLE), `the incident is not "${TITLE}": run it again`);
  const room = await roomOpens(scene, fired);
  const opened = world.time();
  const message = takerOf(scene, room);
  const ringing = await pageGoesOut(scene, room);
  await world.slack.waitFor('the page on the card', async () => {
    const card = await newest(world.slack, room.id, 'card');
    return card !== undefined && visibleText(card).includes('not acknowledged');
  });
  taken.push({ ...(await message('card', 'card')), at: opened });
  taken.push(await fileOf(scene, room, { name: 'chart', filename: /-metric\.png$/ }));
  const paged = await onCallTakesIt(scene, room, ringing);
  await walkTree(scene, room);
  taken.push(await drawnTree(scene, room));
  await proposeAndApprove(
    before(scene, 'approval', async () => void taken.push(await message('proposal', 'proposal'))),
    room,
  );
  await modelIsPinned(scene, good);
  await minutes(scene, MINUTES_INTO_THE_PROOF);
  taken.push(await message('proving', 'receipt'));
  taken.push(await homeOf(scene, 'oncall'));
  await proofArrives(scene, room);
  taken.push(await message('proven', 'receipt'));
  await talkAndResolve(scene, room, paged);
  const { markdown } = await documentsArrive(scene, room);
  taken.push(await message('postmortem-message', 'postmortem'));
  taken.push({ kind: 'document', name: 'postmortem', markdown });
  return taken;
}

async function minutes({ traffic }: Scene, howMany: number): Promise<void> {
  for (let minute = 1; minute <= howMany; minute += 1) await traffic.minute();
}

/** The same scene, with something done before a stage begins. */
function before(scene: Scene, stageName: string, act: () => Promise<void>): Scene {
  return {
    ...scene,
    stage: async (name, what, run) => {
      if (name === stageName) await act();
      return scene.stage(name, what, run);
    },
  };
}

const takerOf =
  ({ world }: Scene, room: SlackChannel) =>
  async (name: string, kind: string): Promise<TakenMessage> => {
    await world.slack.idle({ quietMs: 200, timeoutMs: 20_000 });
    const message = await world.slack.waitFor(`the ${kind}`, () => newest(world.slack, room.id, kind));
    const now = world.time();
    return { kind: 'message', name, message, at: now, now };
  };

async function declareForm({ world }: Scene): Promise<Taken> {
  const person = world.slack.as('oncall');
  await person.command('declare');
  const view = await world.slack.waitFor('the form', () => world.slack.views(person.userId).at(-1));
  await person.dismiss(view);
  return { kind: 'modal', name: 'declare', view, now: world.time() };
}

async function homeOf({ world }: Scene, role: string): Promise<Taken> {
  const person = world.slack.as(role);
  person.openHome();
  const view = await world.slack.waitFor('the home tab', () => {
    const shown = world.slack.home(person.userId);
    return shown !== undefined && JSON.stringify(shown.blocks).includes(SERVICE) ? shown : undefined;
  });
  return { kind: 'home', name: 'home', view, now: world.time() };
}

async function drawnTree(scene: Scene, room: SlackChannel): Promise<Taken> {
  await commandAs(scene, 'oncall', { text: 'tree --show', channel: room.id });
  return fileOf(scene, room, { name: 'tree', filename: /^decision-tree/ });
}

const listed = z.object({ files: z.array(z.object({ name: z.string(), url_private: z.url() })) });

/** An uploaded file byte for byte, as a client downloads it. */
async function fileOf(
  { world }: Scene,
  room: SlackChannel,
  wanted: { name: string; filename: RegExp },
): Promise<Taken> {
  const headers = { authorization: `Bearer ${world.slack.botToken}` };
  const url = await world.slack.waitFor(`the file of ${wanted.name}`, async () => {
    const body = new URLSearchParams({ channel: room.id, count: '1000' });
    const answer = await fetch(`${world.slack.apiUrl}files.list`, { method: 'POST', headers, body });
    const { files } = listed.parse(await answer.json());
    return files.find((file) => wanted.filename.test(file.name))?.url_private;
  });
  const content = Buffer.from(await (await fetch(url, { headers })).arrayBuffer());
  return { kind: 'file', name: wanted.name, content };
}
