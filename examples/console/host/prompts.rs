//! The prompts of this host: its own table, of which the library knows the ids alone.

use super::catalogue::Item;

const fn item(id: &'static str, name: &'static str, about: &'static str) -> Item {
    Item { id, name, about }
}

pub(crate) const PROMPTS: &[Item] = &[
    item("greeting", "Greeting", "Opens a conversation"),
    item("farewell", "Farewell", "Closes a conversation"),
    item("apology", "Apology", "For a late or wrong delivery"),
    item("order-status", "Order status", "Says where an order is"),
    item("refund-approved", "Refund approved", "Confirms a refund"),
    item("refund-declined", "Refund declined", "Declines a refund, and says why"),
    item("return-steps", "Return steps", "How to send something back"),
    item("invoice-question", "Invoice question", "Explains an invoice"),
    item("payment-failed", "Payment failed", "Helps after a failed payment"),
    item("fraud-hold", "Fraud hold", "Says that a payment is being checked"),
    item("address-fix", "Address fix", "Asks for a better address"),
    item("delivery-delay", "Delivery delay", "Tells of a delay"),
    item("size-advice", "Size advice", "Recommends a size"),
    item("gift-ideas", "Gift ideas", "Suggests gifts"),
    item("cart-reminder", "Cart reminder", "Reminds of a full cart"),
    item("review-request", "Review request", "Asks for a review"),
    item("review-summary", "Review summary", "Sums up reviews"),
    item("product-description", "Product description", "Describes a product"),
    item("product-comparison", "Product comparison", "Compares two products"),
    item("translate-page", "Translate page", "Translates a page"),
    item("rewrite-tone", "Rewrite in house tone", "Rewrites a text"),
    item("ticket-summary", "Ticket summary", "Sums up a ticket"),
    item("ticket-routing", "Ticket routing", "Chooses a team"),
    item("escalation", "Escalation", "Hands over to a person"),
    item("call-summary", "Call summary", "Sums up a call"),
    item("meeting-minutes", "Meeting minutes", "Writes minutes"),
    item("weekly-report", "Weekly report", "Writes a report"),
    item("release-summary", "Release summary", "Sums up a release"),
    item("incident-update", "Incident update", "Tells customers of an incident"),
    item("root-cause", "Root cause", "Explains the cause of an incident"),
    item("code-comment", "Code comment", "Comments on a change"),
    item("test-cases", "Test cases", "Lists cases to test"),
    item("sql-explain", "Explain a query", "Explains a query in words"),
    item("contract-terms", "Contract terms", "Lists the terms of a contract"),
    item("policy-answer", "Policy answer", "Answers from a policy"),
    item("privacy-request", "Privacy request", "Answers a request for personal data"),
    item("expense-note", "Expense note", "Explains a rejected expense"),
    item("job-summary", "Job summary", "Sums up an application"),
    item("welcome-seller", "Welcome, seller", "Greets a new seller"),
    item("safety-refusal", "Safety refusal", "Declines a harmful request"),
];
