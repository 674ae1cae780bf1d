import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { PagerDutyIncident } from '../pagerduty/pagerduty-shapes.ts';
import type { SlackChannel, SlackFile } from '../slack/slack-shapes.ts';
import { everythingIn, keyOf } from './story-room.ts';
import { commandAs, expectThat, type Scene } from './story-scene.ts';
import { messageLines, plainText } from './story-text.ts';
import { MINUTE_MS } from './story-traffic.ts';

export interface Documents {
  markdown: string;
  evals: string;
  folder: string;
}

const SAID = {
  lead: 'The alias moved under us. We ask for a dated model from now on.',
  oncall: 'Agreed. And a canary question every minute, so that we see it before users do.',
};

const ANSWERS = [
  'caught Every call succeeded, and no dashboard compares the model that answers with the one asked for.',
  'diagnose Nothing of ours had changed, and the requested name stayed the same.',
  'prevents Ask for dated models only, and send canary questions every minute.',
];

/** People talk as people do, one of them in a thread, and end it. */
export async function talkAndResolve(
  scene: Scene,
  room: SlackChannel,
  paged: PagerDutyIncident,
): Promise<void> {
  const { world, tell, stage } = scene;
  await stage('room', 'people talk and resolve it', async () => {
    const first = await world.slack.as('lead').say(room.id, SAID.lead);
    await world.slack.as('oncall').say(room.id, SAID.oncall, { thread_ts: first.ts });
    tell.line('room', `@lead: "${SAID.lead}"`);
    tell.line('room', `@oncall, in the thread: "${SAID.oncall}"`);
    for (const answer of ANSWERS) {
      const kept = await commandAs(scene, 'oncall', {
        text: `postmortem answer ${answer}`,
        channel: room.id,
      });
      expectThat(kept.startsWith('Kept'), `the answer "${answer}" was not kept: ${kept}`);
    }
    tell.line(
      'room',
      '@oncall answers those of the five questions that the evidence cannot, with /llm-incident postmortem answer.',
    );
    const said = await commandAs(scene, 'oncall', {
      text: 'resolve pinned the dated model',
      channel: room.id,
    });
    await world.slack.waitFor('PagerDuty to be resolved', () =>
      paged.status === 'resolved' ? true : undefined,
    );
    tell.line(
      'room',
      `@oncall types /llm-incident resolve: "${said}" PagerDuty ${paged.id} is ${paged.status}.`,
    );
  });
}

/** Both documents, in the room and on disk, with what was really said. */
export async function documentsArrive(scene: Scene, room: SlackChannel): Promise<Documents> {
  const { world, tell, stage } = scene;
  const files = await stage('post-mortem', 'the post-mortem is in the room and on disk', async () => {
    const posted = await world.slack.waitFor(
      'both files in the room',
      async () => {
        const found = await world.slack.files(room.id);
        return named(found, 'postmortem.md') && named(found, 'evals.yaml') ? found : undefined;
      },
      20_000,
    );
    const folder = await folderOf(scene, room);
    const markdown = named(posted, 'postmortem.md')?.content ?? '';
    expectThat(
      readFileSync(join(folder, 'postmortem.md'), 'utf8') === markdown,
      'the file on disk differs from the one in the room',
    );
    for (const said of Object.values(SAID))
      expectThat(markdown.includes(said), `the post-mortem lacks "${said}"`);
    const headings = markdown.split('\n').filter((line) => /^#{1,2} /.test(line));
    tell.line(
      'post-mortem',
      `postmortem.md is in the room and on disk: ${markdown.split('\n').length} lines, what people said included, the thread too.`,
    );
    tell.box('postmortem.md', headings);
    return { posted, folder, markdown };
  });
  return stage('eval case', 'the failing answers have become eval cases', async () => {
    const evals = named(files.posted, 'evals.yaml')?.content ?? '';
    expectThat(
      readFileSync(join(files.folder, 'evals.yaml'), 'utf8') === evals,
      'evals.yaml on disk differs from the one in the room',
    );
    const { tests } = parse(evals) as { tests: { description: string; metadata: { proven: boolean } }[] };
    const proven = tests.filter((test) => test.metadata.proven).length;
    expectThat(proven > 0, `none of ${tests.length} eval cases is proven`);
    tell.line(
      'eval case',
      `evals.yaml (promptfoo) holds ${tests.length} cases; ${proven} failed on the bad model and pass on the good one. The next silent change meets them first.`,
    );
    return { markdown: files.markdown, evals, folder: files.folder };
  });
}

const named = (files: SlackFile[], name: string) => files.find((file) => file.name === name);

async function folderOf({ world }: Scene, room: SlackChannel): Promise<string> {
  const card = (await everythingIn(world.slack, room.id)).find((message) =>
    keyOf(message).startsWith('card:'),
  );
  const folder = join(
    world.dataDir,
    'documents',
    `INC-${card === undefined ? '?' : keyOf(card).split(':')[1]}`,
  );
  if (!existsSync(folder)) throw new Error(`there is no ${folder}`);
  return folder;
}

/** A day later the post-mortem is not forgotten. */
export async function reminderComes(scene: Scene): Promise<void> {
  const { world, tell, stage } = scene;
  await stage('post-mortem', 'the first reminder comes after 24 hours', async () => {
    const reminders = async () => {
      const direct = await Promise.all(['lead', 'oncall'].map((who) => world.slack.directMessages(who)));
      return direct.flat().filter((message) => keyOf(message).startsWith('remind:'));
    };
    expectThat((await reminders()).length === 0, 'the reminder came before it was due');
    await world.advance(24 * 60 * MINUTE_MS);
    const [reminder] = await world.slack.waitFor('the reminder', async () => {
      const found = await reminders();
      return found.length > 0 ? found : undefined;
    });
    tell.line(
      'post-mortem',
      `A day passes. ${plainText(messageLines(reminder ?? { text: '' }, world.nameOf).join(' '), world.nameOf)}`,
    );
  });
}
