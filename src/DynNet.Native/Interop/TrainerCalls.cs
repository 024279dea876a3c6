namespace DynNet.Native.Interop;

/// <summary>Calls about trainers. The caller keeps what it passes alive.</summary>
internal static unsafe class TrainerCalls
{
    internal static TrainerHandle CreateSimpleSgd(nint model, double learningRate)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_simple_sgd(model, learningRate, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateMomentumSgd(nint model, double learningRate, double momentum)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_momentum_sgd(model, learningRate, momentum, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateAdam(
        nint model, double learningRate, double beta1, double beta2, double epsilon)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_adam(model, learningRate, beta1, beta2, epsilon, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateCyclicalSgd(
        nint model, double learningRateMin, double learningRateMax, double stepSize, double gamma)
    {
        nint trainer;
        Status.Check(
            NativeMethods.dn_trainer_create_cyclical_sgd(
                model, learningRateMin, learningRateMax, stepSize, gamma, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateNesterovSgd(nint model, double learningRate, double momentum)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_nesterov_sgd(model, learningRate, momentum, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateAdagrad(nint model, double learningRate, double epsilon)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_adagrad(model, learningRate, epsilon, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateAdadelta(nint model, double epsilon, double rho)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_adadelta(model, epsilon, rho, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateRmsProp(nint model, double learningRate, double epsilon, double rho)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_rms_prop(model, learningRate, epsilon, rho, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateAdamW(
        nint model, double learningRate, double beta1, double beta2, double epsilon, double decay)
    {
        nint trainer;
        Status.Check(
            NativeMethods.dn_trainer_create_adam_w(
                model, learningRate, beta1, beta2, epsilon, decay, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateAmsgrad(
        nint model, double learningRate, double beta1, double beta2, double epsilon)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_amsgrad(model, learningRate, beta1, beta2, epsilon, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateEG(nint model, double learningRate, double momentum)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_eg(model, learningRate, momentum, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static NativeStatus UpdateFrom(nint trainer, ReadOnlySpan<nint> sets)
    {
        fixed (nint* first = sets)
            return NativeMethods.dn_trainer_update_from(trainer, first, sets.Length);
    }

    internal static double LearningRate(nint trainer)
    {
        double rate;
        Status.Check(NativeMethods.dn_trainer_learning_rate(trainer, &rate));
        return rate;
    }

    internal static double ClipThreshold(nint trainer)
    {
        double threshold;
        Status.Check(NativeMethods.dn_trainer_clip_threshold(trainer, &threshold));
        return threshold;
    }

    internal static bool SparseUpdates(nint trainer)
    {
        int on;
        Status.Check(NativeMethods.dn_trainer_sparse_updates(trainer, &on));
        return on != 0;
    }

    internal static long UpdateCount(nint trainer)
    {
        long count;
        Status.Check(NativeMethods.dn_trainer_updates_count(trainer, &count));
        return count;
    }

    internal static long ClipCount(nint trainer)
    {
        long count;
        Status.Check(NativeMethods.dn_trainer_clips_count(trainer, &count));
        return count;
    }

    internal static NativeStatus UpdateSubset(nint trainer, ReadOnlySpan<nint> parameters, ReadOnlySpan<nint> tables)
    {
        fixed (nint* firstParameter = parameters)
        fixed (nint* firstTable = tables)
        {
            return NativeMethods.dn_trainer_update_subset(
                trainer, firstParameter, parameters.Length, firstTable, tables.Length);
        }
    }

    internal static double ClipValue(nint trainer)
    {
        double bound;
        Status.Check(NativeMethods.dn_trainer_clip_value(trainer, &bound));
        return bound;
    }

    internal static long StepCount(nint trainer)
    {
        long count;
        Status.Check(NativeMethods.dn_trainer_steps_count(trainer, &count));
        return count;
    }

    internal static TrainerStatus ReadStatus(nint trainer, bool reset)
    {
        long updates;
        long clips;
        Status.Check(NativeMethods.dn_trainer_status(trainer, reset ? 1 : 0, &updates, &clips));
        return new TrainerStatus(LearningRate(trainer), clips, updates);
    }

    internal static MovingAverage AverageKind(nint trainer)
    {
        int kind;
        Status.Check(NativeMethods.dn_trainer_average_kind(trainer, &kind));
        return (MovingAverage)kind;
    }

    internal static bool IsSwapped(nint trainer)
    {
        int swapped;
        Status.Check(NativeMethods.dn_trainer_is_swapped(trainer, &swapped));
        return swapped != 0;
    }
}
