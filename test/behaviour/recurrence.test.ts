import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, messageWith, type Opened } from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';

describe('an incident like an earlier one', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  /** What the thread of the card says about the circumstances. */
  async function contextOf({ id, room }: Opened): Promise<string> {
    const card = await messageWith(world, room, `card:${id}`);
    return world.slack.waitFor(`the context of INC-${id}`, async () => {
      const found = (await world.slack.replies(room, card.ts)).find((one) => keyOf(one) === `context:${id}`);
      return found === undefined ? undefined : blocksText(found);
    });
  }

  it('shows the earlier ones with what helped, and nothing of a private one', async () => {
    const first = await declareIncident(world, `sev3 quality ${SERVICE} answers went wrong`);
    await ask(world, 'lead', 'resolve', first.room);
    const secret = await declareIncident(world, `sev1 safety ${SERVICE} secretmarker`);
    await ask(world, 'lead', 'resolve', secret.room);
    const again = await declareIncident(world, `sev3 quality ${SERVICE} wrong again`);
    const said = await contextOf(again);
    expect(said).toContain('Seen before');
    expect(said).toContain(`INC-${first.id}`);
    expect(said).toContain(`same service ${SERVICE}, also quality`);
    expect(said).toContain('nothing is proven to have helped');
    expect(said).not.toContain('secretmarker');
    expect(await contextOf(first)).not.toContain('Seen before');
  });
});
