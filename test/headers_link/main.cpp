// SPDX-License-Identifier: BSL-1.0
// Links the two generated translation units that include every header.
int part_first();
int part_second();

int main() { return part_first() + part_second(); }
