import { withBlockIds } from './slack-blocks.ts';
import { type Fields, isRecord, list, type SlackView, text } from './slack-shapes.ts';
import type { Upstream } from './slack-upstream.ts';

/** What each person has open: a stack of modals and the app's home tab. */
export interface Screens {
  /** A trigger_id that emulate will accept once, within three seconds, for this person. */
  mintTrigger(userId: string, viewId?: string): Promise<string>;
  /** Notes what a successful views.* call of the bot put on somebody's screen. */
  shown(method: string, args: Fields, view: Fields): void;
  isClosed(viewId: string): boolean;
  close(viewId: string): void;
  closeAll(userId: string): void;
  modals(userId?: string): SlackView[];
  home(userId: string): SlackView | undefined;
  ownerOf(viewId: string): string | undefined;
}

interface Screen {
  userId: string;
  view: SlackView;
  open: boolean;
}

/** Starts with empty screens. */
export function createScreens(upstream: Upstream): Screens {
  const triggers = new Map<string, string>();
  const screens = new Map<string, Screen>();
  const homes = new Map<string, SlackView>();
  return {
    mintTrigger: async (userId, viewId) => {
      const args = { user_id: userId, ...(viewId ? { view_id: viewId } : {}) };
      const trigger = text((await upstream.call('observer', 'views.generateTriggerId', args))['trigger_id']);
      triggers.set(trigger, userId);
      return trigger;
    },
    shown: (method, args, view) => {
      const shownView = { ...view, blocks: withBlockIds(list(view['blocks'])) } as SlackView;
      if (method === 'views.publish') {
        homes.set(text(args['user_id']), shownView);
        return;
      }
      const userId = triggers.get(text(args['trigger_id'])) ?? screens.get(shownView.id)?.userId ?? '';
      screens.set(shownView.id, { userId, view: shownView, open: true });
    },
    isClosed: (viewId) => screens.get(viewId)?.open === false,
    close: (viewId) => {
      const screen = screens.get(viewId);
      if (screen) screen.open = false;
    },
    closeAll: (userId) => {
      for (const screen of screens.values()) if (screen.userId === userId) screen.open = false;
    },
    modals: (userId) =>
      [...screens.values()]
        .filter((screen) => screen.open && (userId === undefined || screen.userId === userId))
        .map((screen) => screen.view),
    home: (userId) => homes.get(userId),
    ownerOf: (viewId) => screens.get(viewId)?.userId,
  };
}

/** The view inside a views.* argument, whether it came as JSON text or as an object. */
export function viewOf(args: Fields): unknown {
  const view = args['view'];
  if (isRecord(view) || typeof view !== 'string') return view;
  try {
    return JSON.parse(view);
  } catch {
    return undefined;
  }
}
