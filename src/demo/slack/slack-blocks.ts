import { type Fields, isRecord, list, text } from './slack-shapes.ts';

/** An element that can be clicked, with the block it sits in. */
export interface Clickable {
  element: Fields;
  blockId: string;
}

/** Everything in these blocks that has an action_id. */
export function clickables(blocks: Fields[]): Clickable[] {
  return blocks.flatMap((block) => {
    const inside = [...list(block['elements']), block['accessory'], block['element']].filter(isRecord);
    return inside
      .filter((element) => text(element['action_id']) !== '')
      .map((element) => ({ element, blockId: text(block['block_id']) }));
  });
}

/** The element with that action_id, if these blocks show one. */
export function findClickable(blocks: Fields[] | undefined, actionId: string): Clickable | undefined {
  return clickables(blocks ?? []).find((one) => one.element['action_id'] === actionId);
}

/** Gives blocks without a block_id one, as Slack does when it stores them. */
export function withBlockIds(blocks: Fields[]): Fields[] {
  return blocks.map((block, index) => (block['block_id'] ? block : { ...block, block_id: `b${index}` }));
}

/** All words that a reader of this message sees. */
export function visibleText(message: { text: string; blocks?: Fields[] }): string {
  const words: string[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (isRecord(value)) {
      if (typeof value['text'] === 'string') words.push(value['text']);
      Object.values(value).forEach(collect);
    }
  };
  collect(message.blocks ?? []);
  return words.length > 0 ? words.join('\n') : message.text;
}
