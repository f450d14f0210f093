/**
 * How many people a broadcast is for at this moment: all who are active, or the active members of its groups, each once.
 * A scalar, for a statement in which `groups` is an array of text.
 */
export function audienceSize(groups: string): string {
  return `(CASE WHEN cardinality(${groups}) = 0 THEN (SELECT count(*) FROM person WHERE active)
    ELSE (SELECT count(DISTINCT m.person_id) FROM group_member m JOIN person p ON p.id = m.person_id
      WHERE m.group_id = ANY(${groups}) AND p.active) END)::int`;
}
