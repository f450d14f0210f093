import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { type FaultAction, type FaultRule, type Moment, momentOf } from './fault-rule.js';
import { addressMatches, type SandboxChannel, type SandboxProvider } from './message.js';

/** A rule with its history. */
export type ListedRule = FaultRule & {
  readonly id: number;
  /** How often it has been played. With `fired` at `times` it is used up. */
  readonly fired: number;
};

/** What is just happening on the wire. */
export interface Occasion {
  readonly channel: SandboxChannel;
  readonly provider: SandboxProvider;
  readonly moment: Moment;
  /** Everybody concerned, as far as the protocol has said by now. */
  readonly recipients: readonly string[];
}

interface Entry {
  readonly id: number;
  readonly rule: FaultRule;
  readonly seed: string;
  fired: number;
  rolls: number;
}

/** The rules by which all protocols misbehave. The first rule that fits an occasion is played. */
export class FaultBook extends EventEmitter<{ changed: [] }> {
  #entries: Entry[] = [];
  #lastId = 0;

  list(): ListedRule[] {
    return this.#entries.map(({ id, rule, fired }) => ({ ...rule, id, fired }));
  }

  replace(rules: readonly FaultRule[]): void {
    this.#entries = rules.map((rule) => this.#entry(rule));
    this.emit('changed');
  }

  add(rule: FaultRule): void {
    this.#entries.push(this.#entry(rule));
    this.emit('changed');
  }

  /** False when there is no rule of this id. */
  remove(id: number): boolean {
    const left = this.#entries.filter((entry) => entry.id !== id);
    const found = left.length < this.#entries.length;
    this.#entries = left;
    if (found) this.emit('changed');
    return found;
  }

  /** The fault for this occasion, if one is due. Taking it uses it up by one. */
  take(occasion: Occasion): FaultAction | undefined {
    const entry = this.#entries.find((candidate) => fits(candidate, occasion) && strikes(candidate));
    if (entry === undefined) return undefined;
    entry.fired += 1;
    this.emit('changed');
    return entry.rule.action;
  }

  #entry(rule: FaultRule): Entry {
    this.#lastId += 1;
    return { id: this.#lastId, rule, seed: String(rule.seed ?? randomUUID()), fired: 0, rolls: 0 };
  }
}

function fits({ rule, fired }: Entry, { channel, provider, moment, recipients }: Occasion): boolean {
  if (rule.channel !== channel || momentOf(rule) !== moment) return false;
  if (rule.provider !== undefined && rule.provider !== provider) return false;
  // What only SMTP can say fits nobody else, whether or not the rule names a provider.
  if (rule.action.kind === 'smtp' && provider !== 'smtp') return false;
  if (rule.times !== undefined && fired >= rule.times) return false;
  const wanted = rule.recipient;
  return wanted === undefined || recipients.some((recipient) => addressMatches(wanted, recipient));
}

// A digest of seed and turn is as good as a die here, and the same on every machine.
function strikes(entry: Entry): boolean {
  const { probability } = entry.rule;
  if (probability === undefined) return true;
  entry.rolls += 1;
  const roll = createHash('sha256').update(`${entry.seed}:${entry.rolls}`).digest().readUInt32BE(0);
  return roll / 2 ** 32 < probability;
}
