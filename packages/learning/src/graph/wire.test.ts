import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesField, floatField, integerField, joined, messageField, stringField } from "./wire.ts";

const hex = (...parts: Parameters<typeof joined>): string => Buffer.from(joined(...parts)).toString("hex");

test("fields are those of the examples in protobuf's description of its encoding", () => {
  expect(hex(integerField(1, 150))).toBe("089601");
  expect(hex(stringField(2, "testing"))).toBe("120774657374696e67");
  expect(hex(messageField(3, integerField(1, 150)))).toBe("1a03089601");
  expect(hex(integerField(1, -2))).toBe("08feffffffffffffffff01");
  expect(hex(floatField(2, 1))).toBe("150000803f");
});

test("a varint holds seven bits a byte, the lowest first", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const [, ...digits] = joined(integerField(1, value));
      const decoded = digits.reduce((sum, digit, i) => sum | (BigInt(digit & 127) << BigInt(7 * i)), 0n);
      expect(BigInt.asIntN(64, decoded)).toBe(value);
    }),
  );
});

test("a message is as long as it says", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const message = joined(messageField(1, bytesField(2, bytes)));
      const header = message.length - bytes.length;
      expect(message.subarray(header)).toEqual(bytes);
    }),
  );
});
