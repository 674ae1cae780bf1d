import type { SlackChannel, SlackMessage } from '../slack/slack-shapes.ts';
import { buttonOf, newest } from './story-room.ts';
import { clickAs, expectThat, minutesUntil, type Scene } from './story-scene.ts';
import { messageLines } from './story-text.ts';

/** One person proposes the last known-good state, another approves it. */
export async function proposeAndApprove(scene: Scene, room: SlackChannel): Promise<void> {
  const { world, tell, stage } = scene;
  const proposal = await stage('proposal', 'the rollback is proposed', async () => {
    const card = await world.slack.waitFor('the card', () => newest(world.slack, room.id, 'card'));
    await clickAs(scene, 'oncall', { message: card, actionId: 'propose' });
    await world.slack.waitFor('the proposal', () => newest(world.slack, room.id, 'proposal'));
    const shown = await world.slack.waitFor('the rehearsal of it', () => rehearsed(scene, room));
    expectThat(buttonOf(shown, 'approve') !== undefined, 'the proposal cannot be approved');
    expectThat(world.service.effects.length === 0, 'something was changed before anyone approved');
    tell.line(
      'proposal',
      '@oncall presses "Roll back to known-good". Nothing has changed yet; this waits for somebody else:',
    );
    tell.box(`#${room.name}`, messageLines(shown, world.nameOf));
    return shown;
  });
  await stage('approval', 'somebody else approves it', async () => {
    const refused = await clickAs(scene, 'oncall', { message: proposal, actionId: 'approve' });
    expectThat(world.service.effects.length === 0, 'whoever proposed it could approve it alone');
    tell.line('approval', `@oncall tries to approve it alone. The bot: "${refused}"`);
    await clickAs(scene, 'approver', { message: proposal, actionId: 'approve' });
    const settled = await world.slack.waitFor('the vote on the proposal', async () => {
      const now = await newest(world.slack, room.id, 'proposal');
      return now !== undefined && buttonOf(now, 'approve') === undefined ? now : undefined;
    });
    tell.line('approval', `@approver presses Approve. The proposal now says: ${lastLine(settled, scene)}`);
  });
}

/** The proposal, once it says what it fixes and breaks. */
async function rehearsed({ world }: Scene, room: SlackChannel): Promise<SlackMessage | undefined> {
  const shown = await newest(world.slack, room.id, 'proposal');
  const lines = shown === undefined ? [] : messageLines(shown, world.nameOf);
  return lines.some((line) => /fixes \d+ of \d+/.test(line)) ? shown : undefined;
}

/** The service itself is asked, not the bot. */
export async function modelIsPinned(scene: Scene, wanted: string): Promise<void> {
  const { world, tell, stage } = scene;
  await stage('mitigation', `the service serves ${wanted} again`, async () => {
    await world.slack.waitFor(`${SERVICE_SAYS} ${wanted}`, () =>
      world.service.state().model === wanted ? true : undefined,
    );
    await world.slack.idle({ quietMs: 100 });
    const { effects } = world.service;
    expectThat(effects.length === 1, `the service saw ${effects.length} changes instead of one`);
    const { action, from, to } = effects[0] as (typeof effects)[number];
    tell.line(
      'mitigation',
      `Asked directly, the service says it serves ${wanted}. It saw exactly one signed change: ${action} ${String(from)} → ${String(to)}.`,
    );
  });
}

const SERVICE_SAYS = 'the service to say that it serves';

/** "The API said 200" proves nothing: live answers must be good again. */
export async function proofArrives(scene: Scene, room: SlackChannel): Promise<void> {
  const { world, tell, stage } = scene;
  await stage('proof', 'live traffic proves it', async () => {
    await world.slack.waitFor('the receipt', () => newest(world.slack, room.id, 'receipt'));
    let last = '';
    const receipt = await minutesUntil(scene, { atMost: 30, what: 'PROVEN' }, async (minute) => {
      const shown = await newest(world.slack, room.id, 'receipt');
      if (shown === undefined) return undefined;
      const lines = messageLines(shown, world.nameOf);
      if (lines[0]?.startsWith('PROVEN')) return { lines, minute };
      const progress =
        lines.find((line) => line.includes('Proving:')) ??
        lines.find((line) => line.includes('live calls')) ??
        '';
      if (minute % 2 === 0 && progress !== '' && progress !== last)
        tell.line('proof', `Not yet. ${progress.replace(/^• /, '')}`);
      last = progress;
      return undefined;
    });
    tell.line('proof', `${receipt.minute} minutes of live traffic later, the receipt says:`);
    tell.box(`#${room.name}`, receipt.lines);
    expectThat(world.service.effects.length === 1, 'the service was changed more than once');
  });
}

function lastLine(message: SlackMessage, { world }: Scene): string {
  return messageLines(message, world.nameOf).at(-1) ?? '';
}
