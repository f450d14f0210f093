import { CHANNELS, PRIORITIES } from '@belfry/shared/domain/channel.js';
import { STATUSES } from '@belfry/shared/domain/delivery-state.js';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { before, count } from '../text/times.js';

/** Collects an option that may be given several times, or once with commas. */
export function several(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, ...value.split(',').filter((one) => one !== '')];
}

/** Like `several`, for names that must be among the known ones. */
function severalOf(known: readonly string[]): (value: string, earlier?: readonly string[]) => string[] {
  return (value, earlier) => {
    const all = several(value, earlier);
    const wrong = all.find((one) => !known.includes(one));
    if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is not one of ${known.join(', ')}.`);
    return all;
  };
}

export const priorityOption = () =>
  new Option('-p, --priority <priority>', 'how urgent it is').choices(PRIORITIES);
export const channelsOption = () =>
  new Option(
    '-c, --channel <channels>',
    `instead of the routing: ${CHANNELS.join(', ')}; several with commas`,
  ).argParser(severalOf(CHANNELS));

/** What lists of notifications can be narrowed to. */
export interface Filters {
  readonly user?: string;
  readonly event?: string;
  readonly channel?: string;
  readonly priority?: string;
}

export function withFilters(command: Command): Command {
  return command
    .option('-u, --user <id>', 'to this person')
    .option('-e, --event <event>', 'of this event')
    .addOption(new Option('-c, --channel <channel>', 'on this channel').choices(CHANNELS))
    .addOption(new Option('-p, --priority <priority>', 'of this priority').choices(PRIORITIES));
}

export const statusOption = () =>
  new Option('-s, --status <status>', 'in this status').choices(STATUSES).argParser((text: string) => {
    const status = STATUSES.find((one) => one === text.toUpperCase());
    if (status === undefined) throw new InvalidArgumentError(`Allowed choices are ${STATUSES.join(', ')}.`);
    return status;
  });

/** The filters as the API names them. */
export function filterQuery({ user, event, channel, priority }: Filters) {
  return { user_id: user, event_type: event, channel, priority };
}

/** How much of a list is wanted, and from when. */
export interface Page {
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
  readonly all?: boolean;
}

export function withPage(command: Command, { times = true } = {}): Command {
  if (times) {
    command
      .option('--from <time>', 'not before: a span such as 2h (ago), or ISO 8601', before)
      .option('--to <time>', 'before: the same', before);
  }
  return command
    .option('-n, --limit <n>', 'how many at most', count(1, 1_000_000), 50)
    .option('-a, --all', 'all of them, however many');
}

/** The most that the API gives on one page. */
const MOST_ON_A_PAGE = 200;

/** One more than is wanted, which tells whether there are more. */
export function pageQuery({ from, to, limit, all }: Page) {
  return { from, to, limit: all === true ? MOST_ON_A_PAGE : Math.min(limit + 1, MOST_ON_A_PAGE) };
}
