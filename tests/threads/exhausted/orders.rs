//! Going through every order, and seeing that a mistake is found.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::model::Builder;

/// How many orders there were, and how the last one was broken if it was.
type Explored = (usize, Result<(), Box<dyn Any + Send>>);

/// Ends this order, which broke a promise; quietly, since with a planted mistake that is what should happen.
pub(crate) fn broken(what: &'static str) -> ! {
    resume_unwind(Box::new(what))
}

/// Carries `model` out in every order; gives how many there were.
pub(crate) fn every_order(model: impl Fn() + Send + Sync + 'static) -> usize {
    every_order_of(None, model)
}

/// The same, of all orders in which threads that could go on are stopped at most so often.
pub(crate) fn every_order_of(stops: Option<usize>, model: impl Fn() + Send + Sync + 'static) -> usize {
    match explore(stops, model) {
        (orders, Ok(())) => orders,
        (orders, Err(broken)) => panic!("order {orders}: {}", said(&*broken)),
    }
}

/// Goes through the orders of a `model` with a planted mistake until one is broken.
pub(crate) fn found_out(name: &str, model: impl Fn() + Send + Sync + 'static) {
    found_out_of(None, name, model);
}

/// The same, of all orders in which threads that could go on are stopped at most so often.
pub(crate) fn found_out_of(stops: Option<usize>, name: &str, model: impl Fn() + Send + Sync + 'static) {
    match explore(stops, model) {
        (orders, Ok(())) => panic!("{name}: all of {orders} orders went well"),
        (orders, Err(broken)) => println!("{name}: found in order {orders}: {}", said(&*broken)),
    }
}

fn explore(stops: Option<usize>, model: impl Fn() + Send + Sync + 'static) -> Explored {
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    let explored = catch_unwind(AssertUnwindSafe(|| {
        let mut builder = Builder::new();
        builder.preemption_bound = stops;
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            model();
        });
    }));
    (orders.load(Ordering::Relaxed), explored)
}

fn said(broken: &(dyn Any + Send)) -> &str {
    let text = broken.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| broken.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}
