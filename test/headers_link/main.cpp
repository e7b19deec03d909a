// SPDX-License-Identifier: BSL-1.0
// Links the generated translation units that include every header.
int part_first();
int part_second();
int part_among_macros();

int main() { return part_first() + part_second() + part_among_macros(); }
