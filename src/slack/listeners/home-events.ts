import type { App, BlockAction } from '@slack/bolt';
import type { Flow } from '../../flow/flow.ts';
import { openHome } from '../../flow/room/publish-homes.ts';
import { readClick } from './click.ts';

/** App Home is drawn by a job, after Slack was answered. */
export function registerHome(app: App, flow: Flow): void {
  app.event('app_home_opened', async ({ event }) => {
    if (event.tab === 'home') await openHome(flow, { userId: event.user, page: 0 });
  });
  app.action<BlockAction>(
    { type: 'block_actions', action_id: /^home_(?:previous|next)$/ },
    async ({ ack, body }) => {
      await ack();
      const { value, userId } = readClick(body);
      await openHome(flow, { userId, page: /^\d{1,4}$/.test(value) ? Number(value) : 0 });
    },
  );
}
