static void sample(struct irqchip *chip)
{
	unsigned long flags;

	spin_lock_irqsave(&chip->lock, flags);
	spin_unlock_irqrestore(&chip->lock, flags);
}
