import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Store } from '../store.ts';
import { caseMethods } from './cases.ts';
import { claimMethods } from './claims.ts';
import { deviceMethods } from './devices.ts';
import type { Database } from './dialect.ts';
import { epochMethods } from './epochs.ts';
import { eventMethods } from './events.ts';
import { feedMethods } from './feed.ts';
import { followApplyMethods } from './follow-apply.ts';
import { followLogMethods } from './follow-log.ts';
import { followPageMethods } from './follow-page.ts';
import { gateConfigMethods } from './gate-configs.ts';
import { headMethods } from './heads.ts';
import { hubMethods, upstreamMethods } from './hubs.ts';
import { ingestMethods } from './ingest.ts';
import { orderMethods } from './orders.ts';
import { peopleMethods } from './people.ts';
import { snapshotMethods } from './snapshot.ts';
import { stateExportMethods } from './state-export.ts';
import { stateImportMethods } from './state-import.ts';
import { ticketInquiryMethods } from './ticket-inquiry.ts';
import { ticketMethods } from './tickets.ts';

/** The store on an open database. */
export function createSqlStore(database: Database): Store {
	const store: Store = {
		...headMethods(database),
		...epochMethods(database),
		...hubMethods(database),
		...upstreamMethods(database),
		...followPageMethods(database),
		...followApplyMethods(database),
		...followLogMethods(database),
		...stateExportMethods(database),
		...stateImportMethods(database),
		...claimMethods(database),
		...ingestMethods(database),
		...feedMethods(database),
		...snapshotMethods(database),
		...eventMethods(database),
		...orderMethods(database),
		...ticketMethods(database),
		...ticketInquiryMethods(database),
		...deviceMethods(database),
		...gateConfigMethods(database),
		...caseMethods(database),
		...peopleMethods(database),
		close: () => database.db.destroy(),
	};
	return guarded(store);
}

/** The same store, whose methods reject with nothing but Steward's own errors and bugs. */
function guarded(store: Store): Store {
	const methods = Object.entries(store).map(([name, method]) => {
		// Every member of a store is a method that gives a promise.
		const call = method as (...parameters: unknown[]) => Promise<unknown>;
		return [name, (...parameters: unknown[]) => withoutDriverErrors(() => call(...parameters))];
	});
	// Each name keeps its own method.
	return Object.fromEntries(methods) as Store;
}

/** Runs work and turns a database's error into `store_failed`. */
export async function withoutDriverErrors<T>(work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		if (error instanceof StilewardError || !isDriverError(error)) throw error;
		throw new StilewardError('store_failed', `the database refused: ${String(error.code ?? error.message)}`, {
			cause: error,
		});
	}
}

/** Drivers name their errors by a code; a connection that ends has only a message. */
function isDriverError(error: unknown): error is Error & { readonly code?: unknown } {
	if (!(error instanceof Error)) return false;
	return 'code' in error || /connection|client|pool/i.test(error.message);
}
