import type { PagerDutyIncident } from '../pagerduty/pagerduty-shapes.ts';
import { type SlackChannel, type SlackMessage, text } from '../slack/slack-shapes.ts';
import { buttonOf, everythingIn, keyOf, newest, roomsOf } from './story-room.ts';
import { clickAs, commandAs, expectThat, minutesUntil, type Scene } from './story-scene.ts';
import { messageLines } from './story-text.ts';
import { percent, type Share } from './story-traffic.ts';
import { SERVICE } from './story-world.ts';

/** A day in which nothing is wrong, so that there is something to compare with. */
export async function soundDay(scene: Scene): Promise<Share> {
  const { world, tell, traffic, stage } = scene;
  return stage('metric', 'a day of sound traffic, and no incident', async () => {
    const share = await traffic.day(1_200);
    expectThat((await roomsOf(world.slack)).length === 0, 'a room opened although nothing was wrong');
    const { prompt, requestedModel } = world.service.state();
    tell.line(
      'metric',
      `${SERVICE} answered ${share.n.toLocaleString('en')} questions in the last 24 hours ("is 7,919 a prime number?"): ` +
        `${percent(share.right)} right, ${percent(share.wellFormed)} in the agreed format. It asks for "${requestedModel}" ` +
        `with prompt ${prompt}. No room, no page.`,
    );
    return share;
  });
}

/** The fault: nothing in the team's own code, config or dashboards changes. */
export async function modelMoves({ world, tell, stage }: Scene): Promise<void> {
  await stage('metric', 'the provider moves the model', async () => {
    const before = world.service.state();
    world.service.silentModelChange();
    const after = world.service.state();
    expectThat(
      before.model !== after.model && before.requestedModel === after.requestedModel,
      'the model did not move',
    );
    tell.line(
      'metric',
      `The provider quietly moves "${after.requestedModel}" from ${before.model} to ${after.model}. Nobody is told. Calls ` +
        'still succeed, and they even get faster. (Answers follow the published LLMDrift figures for GPT-4, March and June 2023.)',
    );
  });
}

interface Opened {
  room: SlackChannel;
  card: SlackMessage;
}

/** Minutes pass until the rule speaks. */
export async function ruleFires(scene: Scene, sound: Share): Promise<Opened> {
  const { world, tell, traffic, stage } = scene;
  const wait = { atMost: 30, what: 'a rule to fire and open a room' };
  return stage('signal', 'the score rule fires', async () => {
    const found = await minutesUntil(scene, wait, async (minute) => {
      const room = (await roomsOf(world.slack)).at(-1);
      const card = room === undefined ? undefined : await newest(world.slack, room.id, 'card');
      if (room !== undefined && card !== undefined) return { room, card, minute };
      const { right, n } = traffic.halfHour();
      if (minute % 5 === 0 || minute === 1) {
        tell.line('metric', `Minute ${minute}: ${percent(right)} right over the last half hour (n = ${n}).`);
      }
      return undefined;
    });
    const half = traffic.halfHour();
    const said = messageLines(found.card, world.nameOf).find((line) => line.includes(' against '));
    const measured = `${percent(half.right)} right against ${percent(sound.right)} (n = ${half.n})`;
    tell.line(
      'signal',
      `${found.minute} minutes in, the rule fires: ${said ?? measured}. It asks for 15 % below the baseline, and for 100 ` +
        'answers to go by.',
    );
    return found;
  });
}

/** The room has its people, its card, and what changed, before anyone typed a word. */
export async function roomOpens(scene: Scene, { room, card }: Opened): Promise<SlackChannel> {
  const { world, tell, stage } = scene;
  return stage('room', 'the room opens with its people and its card', async () => {
    const context = await world.slack.waitFor('the context in the thread', () =>
      newest(world.slack, room.id, 'context'),
    );
    const { members } = await world.slack.channel(room.id);
    const people = members.map(world.nameOf).filter((name) => name !== 'llm-incident');
    for (const needed of ['approver', 'lead'])
      expectThat(people.includes(needed), `${needed} is not in the room`);
    tell.line(
      'room',
      `#${room.name} opens; ${people.join(' and ')} are in it. Its card, as it looks in Slack:`,
    );
    tell.box(`#${room.name}`, messageLines(card, world.nameOf));
    const blocks = context.blocks ?? [];
    const [headline = '', ...changes] = messageLines(
      { ...context, blocks: blocks.slice(0, 1) },
      world.nameOf,
    );
    const examples = messageLines(context, world.nameOf).filter((line) =>
      line.startsWith('Failing example'),
    ).length;
    tell.line(
      'room',
      `In its thread: ${headline} ${changes.join(' ')}. And ${examples} failing answers to look at.`,
    );
    return room;
  });
}

/** A page that nobody has taken, and the card that says so. */
interface Ringing {
  paged: PagerDutyIncident;
  card: SlackMessage;
}

/** Ten minutes later it still fires: now a phone may ring. */
export async function pageGoesOut(scene: Scene, room: SlackChannel): Promise<Ringing> {
  const { world, tell, stage } = scene;
  return stage('page', 'PagerDuty is paged ten minutes later', async () => {
    const urgent = () => world.pagerduty.incidents.filter((incident) => incident.urgency === 'high');
    expectThat(urgent().length === 0, 'somebody was paged before the ten minutes were over');
    for (const { id, urgency } of world.pagerduty.incidents) {
      tell.line('page', `So far it is a ticket, PagerDuty ${id} of ${urgency} urgency: nobody is woken.`);
    }
    const paged = await minutesUntil(scene, { atMost: 20, what: 'a page' }, () => urgent()[0]);
    const whom = paged.assignments.map(({ assignee }) => assignee.summary).join(', ') || 'whoever is on call';
    tell.line('page', `Ten minutes, and it still fires, so a phone rings: "${paged.title}" → ${whom}.`);
    const card = await world.slack.waitFor('the receipt on the card', async () => {
      const shown = await newest(world.slack, room.id, 'card');
      return shown && messageLines(shown, world.nameOf).some((line) => line.includes(paged.id))
        ? shown
        : undefined;
    });
    return { paged, card };
  });
}

/** One click in Slack, and the phone is silent. */
export async function onCallTakesIt(
  scene: Scene,
  room: SlackChannel,
  { paged, card }: Ringing,
): Promise<PagerDutyIncident> {
  const { world, tell, stage } = scene;
  return stage('page', 'the on-call engineer takes it', async () => {
    const said = await clickAs(scene, 'oncall', { message: card, actionId: 'acknowledge' });
    await world.slack.waitFor('PagerDuty to be acknowledged', () =>
      paged.status === 'acknowledged' ? true : undefined,
    );
    tell.line(
      'page',
      `@oncall presses "I'm on it" in Slack: "${said}" PagerDuty ${paged.id} is ${paged.status} and stops ringing. They join the room.`,
    );
    await world.slack.as('oncall').say(room.id, 'Looking at it.');
    return paged;
  });
}

/** What the evidence shows decides the answers: the prompt did not move, the model did. */
const ANSWERS: Record<string, 'yes' | 'no'> = { 'prompt-moved': 'no', 'model-moved': 'yes' };

/** The decision tree, from the symptom to where it leads. */
export async function walkTree(scene: Scene, room: SlackChannel): Promise<void> {
  const { world, tell, stage } = scene;
  await stage('decision', 'the decision tree leads somewhere', async () => {
    await commandAs(scene, 'oncall', { text: 'tree', channel: room.id });
    const choices = await world.slack.waitFor('the symptoms', async () =>
      (await everythingIn(world.slack, room.id)).findLast(
        (message) => keyOf(message).startsWith('tree:') && buttonOf(message, 'tree_symptom:') !== undefined,
      ),
    );
    const [picked = ''] = messageLines(choices, world.nameOf);
    expectThat(picked.startsWith('Picked: '), 'the tree picks no branch');
    tell.line('decision', `@oncall asks for the tree. ${picked}`);
    for (let step = 1; step <= 4; step += 1) {
      const shown = await world.slack.waitFor('the next step', () => stepAfter(scene, room, choices));
      const [question = '', ...rest] = messageLines(shown, world.nameOf);
      const asked = text(buttonOf(shown, 'tree_answer:')?.['value']).split(':').at(-1) ?? '';
      if (asked === '') {
        tell.line(
          'decision',
          `It leads to: ${rest.filter((line) => !line.startsWith('[')).join(' ') || question}`,
        );
        return;
      }
      const answer = ANSWERS[asked];
      expectThat(answer !== undefined, `the tree asks something new: "${question}"`);
      tell.line('decision', `${question} ${rest[0] ?? ''} → ${answer}`);
      await clickAs(scene, 'oncall', { message: shown, actionId: `tree_answer:${answer}` });
      await world.slack.waitFor('the step to move on', async () => {
        const now = await stepAfter(scene, room, choices);
        return now && text(buttonOf(now, 'tree_answer:')?.['value']).endsWith(`:${asked}`) ? undefined : true;
      });
    }
    throw new Error('four answers, and the tree still asks');
  });
}

async function stepAfter(
  { world }: Scene,
  room: SlackChannel,
  choices: SlackMessage,
): Promise<SlackMessage | undefined> {
  const shown = await newest(world.slack, room.id, 'tree');
  return shown !== undefined && keyOf(shown) !== keyOf(choices) ? shown : undefined;
}
