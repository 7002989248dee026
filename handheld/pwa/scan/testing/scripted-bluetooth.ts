import type {
	DeviceRequest,
	GattCharacteristic,
	GattServer,
	GattService,
	WebBluetooth,
	WebBluetoothDevice,
} from '../web-bluetooth.ts';

/** How a scripted device answers: as it should, never, with the error of this name, or well but as late as this. */
export type ScriptedAnswer = 'ok' | 'never' | { readonly error: string } | { readonly after: Promise<void> };

/** The browser's Bluetooth as a script tells it: who is chosen, who is known, and whether there is a radio. */
export class ScriptedBluetooth implements WebBluetooth {
	/** Every list that was shown. */
	readonly requests: DeviceRequest[] = [];
	readonly getDevices?: () => Promise<readonly WebBluetoothDevice[]>;
	/** What a person chooses from the list. */
	chosen: ScriptedScanner | { readonly error: string } = { error: 'NotFoundError' };
	hasRadio = true;

	/** A browser without `known` does not tell which devices are allowed. The list may change. */
	constructor(known?: ScriptedScanner[]) {
		if (known !== undefined) this.getDevices = async () => [...known];
	}

	async requestDevice(request: DeviceRequest): Promise<WebBluetoothDevice> {
		this.requests.push(request);
		if ('error' in this.chosen) throw errorOf(this.chosen.error);
		return this.chosen;
	}

	async getAvailability(): Promise<boolean> {
		return this.hasRadio;
	}
}

/** A scanner with one service. Its answers may be changed at any time. */
export class ScriptedScanner extends EventTarget implements WebBluetoothDevice {
	readonly id: string;
	readonly gatt: GattServer;
	/** Bytes that arrived at the scanner. */
	readonly written: number[][] = [];
	readonly watchAdvertisements?: () => Promise<void>;
	/** Answers to the next connects, the first one first; then `ok`. */
	connects: ScriptedAnswer[] = [];
	/** Answers to everything that is asked over a connection, by the name of the method. */
	answers: Readonly<Record<string, ScriptedAnswer>> = {};
	connectCount = 0;
	writesAtOnceMax = 0;
	isConnected = false;
	private lines = new Map<string, ScriptedLine>();
	private readonly service: string;

	constructor(options: { readonly id: string; readonly service: string; readonly advertises?: boolean }) {
		super();
		this.id = options.id;
		this.service = options.service;
		if (options.advertises) this.watchAdvertisements = async () => this.fireSoon('advertisementreceived');
		this.gatt = {
			connect: () => this.connect(),
			// As in browsers that do not end a connect that is under way.
			disconnect: () => this.loseLink(),
			getPrimaryService: (uuid) => this.servicesOf(uuid),
		};
	}

	/** Sends a piece of the line; answers whether somebody has asked for notifications. */
	notify(uuid: string, piece: Uint8Array | string): boolean {
		const bytes = typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;
		return this.lines.get(uuid)?.tell(bytes) ?? false;
	}

	/** Goes out of reach. */
	loseLink(): void {
		if (!this.isConnected) return;
		this.isConnected = false;
		this.lines = new Map();
		this.dispatchEvent(new Event('gattserverdisconnected'));
	}

	/** Answers as the script says, once there is a connection. */
	async answer(method: string): Promise<void> {
		if (!this.isConnected) throw errorOf('NetworkError');
		await given(this.answers[method] ?? 'ok');
	}

	private async connect(): Promise<void> {
		this.connectCount += 1;
		await given(this.connects.shift() ?? 'ok');
		this.isConnected = true;
	}

	private async servicesOf(uuid: string): Promise<GattService> {
		await this.answer('getPrimaryService');
		if (uuid !== this.service) throw errorOf('NotFoundError');
		return { getCharacteristic: (line) => this.lineOf(line) };
	}

	private async lineOf(uuid: string): Promise<GattCharacteristic> {
		await this.answer('getCharacteristic');
		// Browsers give the same object for as long as the connection lasts.
		const line = this.lines.get(uuid) ?? new ScriptedLine(this);
		this.lines.set(uuid, line);
		return line;
	}

	private fireSoon(type: string): void {
		setTimeout(() => this.dispatchEvent(new Event(type)));
	}
}

class ScriptedLine extends EventTarget implements GattCharacteristic {
	readonly properties = { writeWithoutResponse: true };
	value?: DataView;
	private readonly scanner: ScriptedScanner;
	private isTelling = false;
	private writesAtOnce = 0;

	constructor(scanner: ScriptedScanner) {
		super();
		this.scanner = scanner;
	}

	async startNotifications(): Promise<void> {
		// A real one tells as soon as it is asked, and the answer comes after.
		this.isTelling = true;
		await this.scanner.answer('startNotifications');
	}

	tell(bytes: Uint8Array): boolean {
		if (!this.isTelling) return false;
		// Browsers give a view into a larger buffer.
		const buffer = new ArrayBuffer(bytes.length + 2);
		new Uint8Array(buffer, 1).set(bytes);
		this.value = new DataView(buffer, 1, bytes.length);
		this.dispatchEvent(new Event('characteristicvaluechanged'));
		return true;
	}

	async writeValueWithResponse(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
		this.writesAtOnce += 1;
		this.scanner.writesAtOnceMax = Math.max(this.scanner.writesAtOnceMax, this.writesAtOnce);
		try {
			await this.scanner.answer('write');
			this.scanner.written.push([...bytes]);
		} finally {
			this.writesAtOnce -= 1;
		}
	}

	writeValueWithoutResponse(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
		return this.writeValueWithResponse(bytes);
	}
}

async function given(answer: ScriptedAnswer): Promise<void> {
	if (answer === 'never') await new Promise(() => {});
	else if (answer === 'ok') return;
	else if ('error' in answer) throw errorOf(answer.error);
	else await answer.after;
}

function errorOf(name: string): DOMException {
	return new DOMException('as the script says', name);
}
