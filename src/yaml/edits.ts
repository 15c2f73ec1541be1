export type ScalarValue = string | number | boolean;

/** A property to have this value; `keys` is how it is written where nothing of the path exists yet. */
export interface SetEdit {
  keys: readonly string[];
  value: ScalarValue;
}

/** Properties to set, and subtrees to remove; a parent that a removal empties goes too. */
export interface YamlEdits {
  set?: readonly SetEdit[];
  remove?: readonly (readonly string[])[];
}
