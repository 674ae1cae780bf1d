import type { DemoWorld } from './story-world.ts';
export async function runLive(_world: DemoWorld): Promise<number> {
  return 0;
}
