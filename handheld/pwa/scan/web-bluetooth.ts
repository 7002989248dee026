/** The part of Web Bluetooth (W3C community group draft) that is used; TypeScript's DOM does not know it. */
export interface WebBluetooth {
	/** Shows the browser's list; only after a tap. */
	requestDevice(options: DeviceRequest): Promise<WebBluetoothDevice>;
	/** What was allowed before. Not every browser has it. */
	getDevices?(): Promise<readonly WebBluetoothDevice[]>;
	/** Whether there is a radio, and it is on. */
	getAvailability?(): Promise<boolean>;
}

/** Which devices the list shows, and what of them may be used. */
export interface DeviceRequest {
	readonly filters: readonly ({ readonly services: readonly string[] } | { readonly namePrefix: string })[];
	readonly optionalServices: readonly string[];
}

/** Fires `gattserverdisconnected`, and `advertisementreceived` while it is watched. */
export interface WebBluetoothDevice extends EventTarget {
	/** The same for this page as long as the device is allowed. */
	readonly id: string;
	readonly gatt?: GattServer;
	watchAdvertisements?(options: { readonly signal: AbortSignal }): Promise<void>;
}

/** The connection to a device. What it gave is of no use after it broke. */
export interface GattServer {
	connect(): Promise<unknown>;
	/** Also ends a connect that is under way. */
	disconnect(): void;
	getPrimaryService(uuid: string): Promise<GattService>;
}

/** A service of a device. */
export interface GattService {
	getCharacteristic(uuid: string): Promise<GattCharacteristic>;
}

/** A value of a device. Fires `characteristicvaluechanged` for every notification. */
export interface GattCharacteristic extends EventTarget {
	readonly value?: DataView;
	readonly properties: { readonly writeWithoutResponse: boolean };
	startNotifications(): Promise<unknown>;
	writeValueWithResponse(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
	writeValueWithoutResponse(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}
