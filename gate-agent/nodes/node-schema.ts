import Type from 'typebox';

/** `0c2e:0b61`, as `lsusb` writes it. */
export const usbIdPattern = '^[0-9a-f]{4}:[0-9a-f]{4}$';

/** The options of a `NodeChoice` as a driver's schema spreads them. `device` names the default, where there is one. */
export function nodeSchema(device?: string) {
	return {
		device: Type.Optional(
			Type.String({
				pattern: usbIdPattern,
				...(device !== undefined && { default: device }),
				description: 'Vendor and product of the device, as lsusb writes them: 0c2e:0b61.',
			}),
		),
		serial: Type.Optional(
			Type.String({ minLength: 1, maxLength: 64, description: 'Serial number, where two of the same kind are there.' }),
		),
		port: Type.Optional(
			Type.String({
				minLength: 1,
				maxLength: 64,
				description: 'USB port that it is plugged into, for devices without serial numbers: 1-1.3.',
			}),
		),
		path: Type.Optional(
			Type.String({ minLength: 1, description: 'A link of your own to the device node, in the place of the others.' }),
		),
	};
}
